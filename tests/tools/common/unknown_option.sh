# A mistyped option is refused with the nearest spelling.
"$LQ_TOOL" --memroy 4G x
