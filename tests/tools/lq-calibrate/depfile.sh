echo "A text of some words." > 'a b.txt'
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data 'a b.txt' --stats diag -o out -qq --depfile out.d > made
sed "s|$LQ_DATA|DATA|" out.d
