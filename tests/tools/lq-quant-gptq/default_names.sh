"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -qq --progress never
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -qq --bits 3 --format compressed-tensors
