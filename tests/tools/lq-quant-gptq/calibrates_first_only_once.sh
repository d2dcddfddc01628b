"$LQ_BIN/make_model" model --layers 1 --hidden 64 --ffn 64 --heads 2 --kv-heads 2 --vocab 2048 > made
cp "$LQ_DATA/tiny-llama/tokenizer.json" model
"$LQ_BIN/lq-quant-gptq" model -qq -o out
"$LQ_BIN/lq-quant-gptq" model -o out --progress never
