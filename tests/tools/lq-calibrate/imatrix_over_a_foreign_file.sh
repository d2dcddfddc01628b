echo mine > im.gguf
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag -o out --imatrix im.gguf
code=$?
cat im.gguf
ls -A
exit $code
