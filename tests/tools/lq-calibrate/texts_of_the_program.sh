"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --samples 1 --seq-len 16 --stats diag -o out
