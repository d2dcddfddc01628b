"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --from-imatrix a --tokens b -o out
