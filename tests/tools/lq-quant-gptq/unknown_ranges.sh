"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --ranges quantile -o out
