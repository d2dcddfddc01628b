mkdir model
cp "$LQ_DATA/tiny-llama/tokenizer.json" model
printf "a\nb" | "$LQ_BIN/lq-inspect" model --tokenize - --no-special --json > report
python3 - <<'END'
import json
report = json.load(open("report"))
tokens = json.load(open("model/tokenizer.json"))["model"]["vocab"]
assert [tokens[piece] for piece in report["pieces"]] == report["ids"], report
assert report["status"] == "ok" and "\u010a" in report["pieces"] or "<0x0A>" in report["pieces"], report
END
