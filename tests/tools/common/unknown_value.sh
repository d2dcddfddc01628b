# A mistyped value is refused with the nearest spelling.
"$LQ_TOOL" --progress=nevr x
