echo "lq-x: error: internal error" >&2
exit 1
