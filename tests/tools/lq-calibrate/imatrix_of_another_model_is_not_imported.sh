python3 "$LQ_DATA/../support/imatrix.py" im.dat short=blk.0.attn_q.weight
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --from-imatrix im.dat -o out
code=$?
ls -A
exit $code
