cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model infinite
"$LQ_BIN/lq-quant-gguf" model -t Q4_K_M -o out.gguf
