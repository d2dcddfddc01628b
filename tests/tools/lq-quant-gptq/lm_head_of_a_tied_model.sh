cp -r "$LQ_DATA/tiny-llama" model
sed -i 's/"tie_word_embeddings": false/"tie_word_embeddings": true/' model/config.json
"$LQ_BIN/lq-quant-gptq" model --data-free --lm-head -o out
