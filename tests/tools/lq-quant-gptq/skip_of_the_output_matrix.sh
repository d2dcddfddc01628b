"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --skip lm_head -qq -o out
