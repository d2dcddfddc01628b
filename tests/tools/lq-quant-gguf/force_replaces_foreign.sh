echo mine > out.gguf
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q8_0 -o out.gguf --force -q
head -c 4 out.gguf | grep -q GGUF
