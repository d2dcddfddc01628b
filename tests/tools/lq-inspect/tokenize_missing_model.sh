"$LQ_BIN/lq-inspect" ./no-such-model --tokenize - < /dev/null
