head -c 4096 /dev/zero | tr "\0" "x" > im.dat
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M --imatrix im.dat
