# A run without arguments says what is missing and how to go on.
"$LQ_TOOL"
