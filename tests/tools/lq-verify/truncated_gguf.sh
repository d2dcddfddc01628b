lq-quant-gguf "$LQ_DATA/tiny-llama" -t Q8_0 -o m.gguf -qq > /dev/null
truncate -s -100 m.gguf
lq-verify m.gguf -r "$LQ_DATA/tiny-llama"
