"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration none -o out
