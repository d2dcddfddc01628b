"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --damp much -o out
