mkdir model
echo "{" > model/tokenizer.json
"$LQ_BIN/lq-inspect" model --tokenize - < /dev/null
