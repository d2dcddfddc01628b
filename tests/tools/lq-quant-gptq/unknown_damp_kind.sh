"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --damp-kind row -o out
