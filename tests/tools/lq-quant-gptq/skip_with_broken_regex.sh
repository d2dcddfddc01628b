"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --skip 'layers.(0' -o out
