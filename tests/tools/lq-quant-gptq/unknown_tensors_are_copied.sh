cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model draft
"$LQ_BIN/lq-quant-gptq" model --data-free -o out --progress never
grep -A3 dynamic out/quantize_config.json
grep -A2 "^## .*not" out/README.md
grep -ao "mtp[a-z_.]*" out/model.safetensors
