# Closed standard streams: output is an error, the others are not.
"$LQ_TOOL" --version <&- 2>&- > version || exit 90
test -s version || exit 91
"$LQ_TOOL" --help >&-
