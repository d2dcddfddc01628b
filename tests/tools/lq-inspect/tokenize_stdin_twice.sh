"$LQ_BIN/lq-inspect" - --tokenize -
