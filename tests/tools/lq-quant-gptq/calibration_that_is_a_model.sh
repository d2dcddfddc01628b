"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration "$LQ_DATA/tiny-llama" -o out
