"$LQ_BIN/make_model" model --layers 1 --hidden 192 --ffn 328 --heads 6 --kv-heads 6 --vocab 258 > made
"$LQ_BIN/lq-quant-gptq" model --data-free -o out --progress never
