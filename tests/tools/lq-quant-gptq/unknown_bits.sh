"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --bits 5 -o out
