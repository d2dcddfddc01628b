# A run stopped half way leaves a part and a journal; damage a line in its middle.
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o out.gguf -q --shard 1/2 > made
journal=$(ls out.gguf.lq-journal*)
sed -i '3s/./#/5' "$journal"
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o out.gguf
