touch model.gguf
"$LQ_BIN/lq-inspect" model.gguf --tokenize - < /dev/null
