"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama"
