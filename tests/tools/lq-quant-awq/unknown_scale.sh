"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --scale=best -o out
