"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --format=gptq -o out
