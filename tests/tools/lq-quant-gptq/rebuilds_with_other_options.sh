"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -qq -o out > made
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --bits 8 --skip o_proj -q -o out
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --bits 8 --skip o_proj --max-shard-size 1M -o out --progress never
