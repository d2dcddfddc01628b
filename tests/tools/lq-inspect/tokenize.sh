printf "Hello  <s> world\n" > text
"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --tokenize text
