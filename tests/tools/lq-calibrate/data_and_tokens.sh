"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data a.txt --tokens b.json -o out
