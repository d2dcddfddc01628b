echo "$LQ_DATA/tiny-llama" | "$LQ_BIN/lq-quant-gptq" - --data-free -qq -o out
