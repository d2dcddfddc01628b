"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t q8_0 --tensor-type ffn_down=q6_k -o out.gguf -q
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q8_0 --tensor-type ffn_down=Q6_K -o out.gguf
