"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -qq -o out > made
echo "{}" >> out/config.json
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -q -o out
