"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --sym --asym -o out
