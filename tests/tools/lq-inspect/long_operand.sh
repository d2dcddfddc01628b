lq-inspect "$(printf "x%.0s" {1..300})"
