"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --override 'lm_head=bits:8' -o out
