cp -r "$LQ_DATA/tiny-llama" model
rm model/tokenizer*
"$LQ_BIN/lq-calibrate" model -o out
code=$?
echo '[[1, 2, 3, 4]]' > ids.json
"$LQ_BIN/lq-calibrate" model --tokens ids.json --stats diag -o out -qq
exit $code
