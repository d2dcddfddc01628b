LQ_SIMD=mmx "$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q8_0 -o out.gguf
status=$?
ls
exit $status
