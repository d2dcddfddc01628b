python3 "$LQ_DATA/../support/imatrix.py" im.dat silent
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M --imatrix im.dat -o out.gguf
