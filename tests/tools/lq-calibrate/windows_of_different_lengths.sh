echo '[[2046, 1, 2, 3], [5], [2046, 7, 8, 9, 10, 11, 12]]' > ids.json
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --tokens ids.json --stats diag -o out -qq
"$LQ_BIN/lq-inspect" out | grep data
