"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" -o calib --tokens ids.json --seq-len 100
