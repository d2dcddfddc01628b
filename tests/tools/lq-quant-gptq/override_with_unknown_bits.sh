"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --override down_proj=bits:5 -o out
