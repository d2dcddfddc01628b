exec 9> out.lq-lock
flock -x 9
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -q -o out
