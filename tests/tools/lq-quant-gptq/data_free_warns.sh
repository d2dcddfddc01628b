"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -o out --progress never
