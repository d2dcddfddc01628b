"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag -o out -qq -j 1 --memory 1M --seq-len 4096
