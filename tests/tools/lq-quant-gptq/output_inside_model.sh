cp -r "$LQ_DATA/tiny-llama" model
"$LQ_BIN/lq-quant-gptq" model --data-free -o model/out
