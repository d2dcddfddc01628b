"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --tokenize - --estimate
