printf 'abc\377' > a.txt
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data a.txt -o out
