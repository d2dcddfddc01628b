mkdir model
echo '{"normalizer": {"type": "Rot13"}, "model": {"type": "BPE", "vocab": {}, "merges": []}}' > model/tokenizer.json
"$LQ_BIN/lq-inspect" model --tokenize - < /dev/null
