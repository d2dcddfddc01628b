"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --dtype f32 -o out
