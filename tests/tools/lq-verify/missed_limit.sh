lq-quant-gguf "$LQ_DATA/tiny-llama" -t Q2_K -o m.gguf -qq > /dev/null
lq-verify m.gguf -r "$LQ_DATA/tiny-llama" --text builtin --max-windows 2 --max-kld 0.001 --continuation 0 --json -qq | grep -o '"status":"failed"\|"check":"max-kld"'
exit ${PIPESTATUS[0]}
