"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --estimate AWQ-g64,AWQ-g96
