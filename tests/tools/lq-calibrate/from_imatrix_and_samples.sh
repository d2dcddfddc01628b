"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --from-imatrix a --samples 3 -o out
