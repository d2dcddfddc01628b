echo '["One short sentence.", "And another one.", "And a third."]' > three.json
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data three.json -o out
