lq-inspect --estimate Q4_K_M Q9_K "$LQ_DATA/tiny-llama"
