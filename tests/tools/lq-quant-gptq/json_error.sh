"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --skip k_proj --json -o out
