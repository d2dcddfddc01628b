"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --diff "$LQ_DATA/tiny-llama"
