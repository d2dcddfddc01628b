echo '["One short text."]' > texts.json
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data texts.json -o out -qq > made
echo '["Another short text."]' > texts.json
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data texts.json --stats diag -o out -q
