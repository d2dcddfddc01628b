"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --estimate=Q9_K
