"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --group-size 48 -o out
