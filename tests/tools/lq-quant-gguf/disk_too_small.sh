mkdir small
mount -t tmpfs -o size=1M tmpfs small 2> /dev/null || { echo "SKIP: no permission to mount"; exit 77; }
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o small/out.gguf
code=$?
ls small
umount small
exit $code
