"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --tensors | tail -n +20 | head -n 20
