printf '%s\n' "$LQ_DATA/tiny-llama" | "$LQ_BIN/lq-calibrate" - --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 2 --seq-len 64 --stats diag -o out -q
