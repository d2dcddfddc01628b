"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --round nearest --sequential -o out
