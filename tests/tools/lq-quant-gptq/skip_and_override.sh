"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free --skip 'layers\.5\.' --override 'layers\.0\..*_proj=bits:8,group:64' -qq -o out
sed '/"meta"/,$d' out/quantize_config.json
