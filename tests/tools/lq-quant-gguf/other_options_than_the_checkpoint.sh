"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o out.gguf -q --shard 1/2 > made
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q5_K_M -o out.gguf
