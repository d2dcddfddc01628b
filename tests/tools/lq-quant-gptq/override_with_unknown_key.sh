"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --override down_proj=sym:1 -o out
