"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" -n -j 2 -o out
ls -A
