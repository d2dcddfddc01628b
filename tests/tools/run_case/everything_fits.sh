echo "$SCRATCH $LQ_DATA"
echo "error 17" >&2
exit 3
