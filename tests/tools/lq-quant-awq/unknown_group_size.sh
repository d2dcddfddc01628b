"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --group-size=-1 -o out
