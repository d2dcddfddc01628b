"$LQ_BIN/lq-inspect" org/no-such-model
