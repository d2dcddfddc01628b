lq-inspect "$LQ_DATA/tiny-llama" Q4_K_M "$LQ_DATA"
