"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --bits 3 -o out
