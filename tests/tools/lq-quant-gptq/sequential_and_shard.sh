"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --sequential --shard 1/2 -o out
