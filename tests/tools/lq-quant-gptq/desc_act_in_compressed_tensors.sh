"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --desc-act --format compressed-tensors -o out
