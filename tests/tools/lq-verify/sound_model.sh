"$LQ_BIN/lq-verify" "$LQ_DATA/tiny-llama"
