"$LQ_BIN/lq-quant-gguf" -t Q4_K_M
