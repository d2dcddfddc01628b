"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --shard 1/5 -o out
