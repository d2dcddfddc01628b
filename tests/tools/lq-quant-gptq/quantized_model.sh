"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -qq -o first > made
"$LQ_BIN/lq-quant-gptq" first --data-free -o out
