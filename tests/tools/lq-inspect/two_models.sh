"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" "$LQ_DATA/tiny-llama"
