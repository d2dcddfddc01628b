# Longer than any file name may be.
lq-inspect --estimate "$(printf 'x%.0s' {1..300})" "$LQ_DATA/tiny-llama"
