"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --data-free -o out --progress never
