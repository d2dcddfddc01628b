exec 9> out.gguf.lq-lock
flock -x 9
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o out.gguf
