"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --max-shard-size big -o out
