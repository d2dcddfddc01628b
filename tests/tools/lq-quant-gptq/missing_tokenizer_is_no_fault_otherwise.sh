cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model no-tokenizer
"$LQ_BIN/lq-quant-gptq" model --data-free -qq -o out
ls out
