"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --round=up -o out
