# The name of the directory is in the file, so it counts as much as the weights.
cp -r "$LQ_DATA/tiny-llama" first && cp -r first second
"$LQ_BIN/lq-quant-gguf" first -t Q8_0 -o out.gguf -q
"$LQ_BIN/lq-quant-gguf" second -t Q8_0 -o out.gguf
"$LQ_BIN/lq-quant-gguf" second -t Q8_0 -o fresh.gguf -q
cmp out.gguf fresh.gguf
