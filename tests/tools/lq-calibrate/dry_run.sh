"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 -o out -n -j 2 --imatrix im.gguf
ls -A
