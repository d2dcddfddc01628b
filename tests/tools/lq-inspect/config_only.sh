mkdir model
cp "$LQ_DATA/tiny-llama/config.json" model
lq-inspect model
