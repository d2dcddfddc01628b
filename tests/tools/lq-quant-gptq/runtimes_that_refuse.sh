"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --bits 3 --asym --override 'layers\.0\..*_proj=bits:8' -o out --progress never
