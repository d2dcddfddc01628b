"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --format gptq_v3 -o out
