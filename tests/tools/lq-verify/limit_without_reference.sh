"$LQ_BIN/lq-verify" "$LQ_DATA/tiny-llama" --max-kld 0.1
