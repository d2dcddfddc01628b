"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t q8_0,Q4_K_M,q5_k -o 'out-{type}.gguf' -q
ls
