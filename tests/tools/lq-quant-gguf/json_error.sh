"$LQ_BIN/lq-quant-gguf" ./no-such-model -t Q4_K_M --json
