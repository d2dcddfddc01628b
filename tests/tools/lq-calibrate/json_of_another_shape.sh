echo '{"rows": [{"text": "A"}]}' > a.json
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data a.json -o out
