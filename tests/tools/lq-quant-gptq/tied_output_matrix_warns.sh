cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model tied-output
"$LQ_BIN/lq-quant-gptq" model --data-free -q -o out
