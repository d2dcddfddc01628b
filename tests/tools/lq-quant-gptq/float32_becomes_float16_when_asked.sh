"$LQ_BIN/make_model" model --layers 1 --hidden 64 --ffn 64 --heads 2 --kv-heads 2 --vocab 258 --dtype F32 > made
"$LQ_BIN/lq-quant-gptq" model --data-free --dtype f16 -o out --progress never
grep torch_dtype out/config.json
