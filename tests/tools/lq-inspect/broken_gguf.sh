printf "GGUF\003\0\0\0garbage" > bad.gguf
"$LQ_BIN/lq-inspect" bad.gguf
