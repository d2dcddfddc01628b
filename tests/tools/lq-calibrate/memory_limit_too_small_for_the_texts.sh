head -c 1048576 /dev/zero | tr '\0' a > long.txt
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data long.txt -o out --memory 20M -j 1
