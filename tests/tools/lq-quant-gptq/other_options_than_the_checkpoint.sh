"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -qq --shard 1/2 -o out > made
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --bits 3 -q -o out
