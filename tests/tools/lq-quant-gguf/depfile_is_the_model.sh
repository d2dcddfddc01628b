cp -r "$LQ_DATA/tiny-llama" model
"$LQ_BIN/lq-quant-gguf" model -t Q8_0 -o out.gguf --depfile model/config.json
code=$?
cmp "$LQ_DATA/tiny-llama/config.json" model/config.json >&2
exit $code
