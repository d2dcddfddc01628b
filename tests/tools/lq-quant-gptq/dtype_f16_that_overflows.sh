cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model huge-norm
"$LQ_BIN/lq-quant-gptq" model --data-free --dtype f16 -q -o out
code=$?
ls -d out*
exit $code
