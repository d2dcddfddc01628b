"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -n --json -o out
