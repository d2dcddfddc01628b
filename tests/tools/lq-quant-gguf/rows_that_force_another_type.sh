"$LQ_BIN/make_model" model --layers 2 --hidden 288 --ffn 512 --heads 9 --kv-heads 3 --vocab 512
"$LQ_BIN/lq-quant-gguf" model -t Q4_K_M -o out.gguf
