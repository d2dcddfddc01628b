lq-quant-gguf "$LQ_DATA/tiny-llama" -t Q8_0 -o s.gguf --split-max-size 3M -q > /dev/null 2>&1
# Any part stands for the whole file.
cmp <(lq-inspect s-00001-of-00002.gguf | grep -v ^path) <(lq-inspect s-00002-of-00002.gguf | grep -v ^path)
lq-inspect s-00002-of-00002.gguf
