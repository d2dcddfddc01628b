"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --tokens b.json --samples 3 -o out
