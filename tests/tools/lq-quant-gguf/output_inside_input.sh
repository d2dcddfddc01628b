cp -r "$LQ_DATA/tiny-llama" model
"$LQ_BIN/lq-quant-gguf" model -t Q4_K_M -o model/out.gguf
