mkdir small
mount -t tmpfs -o size=1M tmpfs small 2> /dev/null || { echo "SKIP: no permission to mount"; exit 77; }
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 -o small/out -q
code=$?
ls small
umount small
exit $code
