"$LQ_BIN/lq-verify" "$LQ_DATA/tiny-llama" -r "$LQ_DATA/tiny-llama" --min-top1 101%
