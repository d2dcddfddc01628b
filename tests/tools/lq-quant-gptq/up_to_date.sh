"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -qq -o out > made
before=$(stat -c %Y%i out/*)
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -o out --progress never
[ "$before" = "$(stat -c %Y%i out/*)" ]
