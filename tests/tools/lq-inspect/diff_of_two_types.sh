"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_S,Q4_K_M -o '{type}.gguf' -q > made
"$LQ_BIN/lq-inspect" Q4_K_S.gguf --diff Q4_K_M.gguf
