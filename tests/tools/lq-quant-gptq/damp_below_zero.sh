"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --damp -0.1 -o out
