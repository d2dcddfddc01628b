"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data - -o out <&-
