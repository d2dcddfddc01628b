"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --from-imatrix a --shard 1/2 -o out
