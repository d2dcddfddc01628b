"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q8_0 -o out.gguf -q > first
sed -i 's/"time": .*/"time": 5,/' out.gguf.lq.json
grep -q '"time": 5' out.gguf.lq.json || exit 99
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q8_0 -o out.gguf
