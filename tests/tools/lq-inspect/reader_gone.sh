set -o pipefail
"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --tensors | sleep 0.01
[ ${PIPESTATUS[0]} -eq 141 ] || [ ${PIPESTATUS[0]} -eq 0 ]
