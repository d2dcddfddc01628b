"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --max-shard-size 2M -qq -o out
ls out/model*
