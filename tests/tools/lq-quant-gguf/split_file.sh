"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q8_0 -o out.gguf --split-max-size 2M -q
ls
