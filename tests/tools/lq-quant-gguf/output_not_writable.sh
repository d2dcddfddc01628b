# Nobody, not even root, makes files here.
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o /proc/out.gguf
