mkdir small
mount -t tmpfs -o size=1M tmpfs small 2> /dev/null || { echo "SKIP: no permission to mount"; exit 77; }
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --data-free -q -o small/out
code=$?
ls small
umount small
exit $code
