echo hello > notes.txt
"$LQ_BIN/lq-inspect" notes.txt
