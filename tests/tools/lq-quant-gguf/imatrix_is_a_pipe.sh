mkfifo im.gguf
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M --imatrix im.gguf
