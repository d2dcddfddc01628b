"$LQ_BIN/lq-verify" nowhere
