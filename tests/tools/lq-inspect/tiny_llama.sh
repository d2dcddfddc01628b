"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" | grep -v ^path
