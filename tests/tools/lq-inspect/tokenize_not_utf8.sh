printf "ab\377" | "$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --tokenize -
