"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --damp 1.5 -o out
