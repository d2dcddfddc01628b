"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --effort slow -o out
