"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --from-imatrix a --data b -o out
