echo '[[1, 2], [2048]]' > ids.json
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --tokens ids.json -o out
