"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o out.gguf --dry-run -j 2
ls -A
