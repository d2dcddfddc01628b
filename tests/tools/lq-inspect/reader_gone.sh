# The reader has ended before the report is written.
exec 3> >(exec true)
wait "$!"
"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --tensors >&3
