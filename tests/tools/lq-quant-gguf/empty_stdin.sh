"$LQ_BIN/lq-quant-gguf" - -t Q8_0 -o out.gguf < /dev/null
