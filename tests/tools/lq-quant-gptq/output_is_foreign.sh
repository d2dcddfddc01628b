mkdir out
echo mine > out/config.json
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -q -o out
