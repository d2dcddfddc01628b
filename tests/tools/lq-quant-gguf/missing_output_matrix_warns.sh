cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model no-output
"$LQ_BIN/lq-quant-gguf" model -t Q8_0 -q -o out.gguf
