"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --override 'experts=bits:8' -o out
