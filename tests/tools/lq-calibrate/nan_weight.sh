cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model nan
"$LQ_BIN/lq-calibrate" model --samples 1 --seq-len 16 --stats diag -o out -q
code=$?
ls -d out
exit $code
