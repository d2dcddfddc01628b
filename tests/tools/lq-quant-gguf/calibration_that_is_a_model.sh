"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M --calibration "$LQ_DATA/tiny-llama" -o out.gguf
