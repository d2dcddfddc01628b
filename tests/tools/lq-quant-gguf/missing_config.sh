mkdir model
"$LQ_BIN/lq-quant-gguf" model -t Q4_K_M
