cp -r "$LQ_DATA/tiny-llama" tiny-llama
python3 "$LQ_DATA/../support/damage.py" tiny-llama nan
"$LQ_BIN/lq-quant-gguf" tiny-llama -t Q4_K_M -o out.gguf 2> errors && exit 1
[ ! -e out.gguf ] || { echo "half-made output"; exit 1; }
# Once the weight is sound again, the same command makes the file.
cp "$LQ_DATA/tiny-llama/model.safetensors" tiny-llama/
"$LQ_BIN/lq-quant-gguf" tiny-llama -t Q4_K_M -o out.gguf --force -q > made
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o sound.gguf -q > made
cmp out.gguf sound.gguf
