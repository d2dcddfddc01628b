"$LQ_BIN/lq-quant-gptq" none --data-free -o out
