mkdir out
echo mine > out/mine
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -q -f -o out
ls out
