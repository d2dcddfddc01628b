"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data none.txt -o out
