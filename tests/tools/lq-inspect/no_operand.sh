"$LQ_BIN/lq-inspect"
