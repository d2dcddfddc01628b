"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --scale-sign minus -o out
