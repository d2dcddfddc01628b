"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --from-imatrix "$LQ_DATA/tiny-llama.imatrix.gguf" -o out
"$LQ_BIN/lq-inspect" out
quantize() { "$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -qq "$@" > made; }
quantize --calibration out --no-solve -o a.gguf
quantize --imatrix "$LQ_DATA/tiny-llama.imatrix.gguf" -o b.gguf
cmp a.gguf b.gguf
