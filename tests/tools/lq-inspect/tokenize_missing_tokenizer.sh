mkdir model
"$LQ_BIN/lq-inspect" model --tokenize - < /dev/null
