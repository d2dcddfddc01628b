mkdir out && echo "A text of some words." > out/a.txt
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data out/a.txt -o out --stats diag -qq
