"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o out.gguf -q --shard 1/2 > made
printf damage | dd of=out.gguf.lq-part bs=1 seek=200000 conv=notrunc status=none
printf damage | dd of=out.gguf.lq-part bs=1 seek=1500000 conv=notrunc status=none
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o out.gguf -qq
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o whole.gguf -q > made
cmp out.gguf whole.gguf
