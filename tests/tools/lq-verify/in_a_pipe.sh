lq-quant-gguf "$LQ_DATA/tiny-llama" -t Q4_K_M -o m.gguf -qq | lq-verify - -r "$LQ_DATA/tiny-llama" -q
