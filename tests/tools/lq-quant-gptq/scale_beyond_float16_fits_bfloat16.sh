cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model huge
"$LQ_BIN/lq-quant-gptq" model --data-free --format compressed-tensors -qq -o out
