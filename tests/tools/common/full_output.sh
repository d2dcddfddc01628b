# A result that cannot be written is an error.
"$LQ_TOOL" --help > /dev/full
