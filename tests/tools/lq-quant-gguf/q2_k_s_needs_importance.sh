"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q2_K_S
