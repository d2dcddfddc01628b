"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --json --tensors --estimate=Q4_K_M > report
python3 - <<'END'
import json
report = json.load(open("report"))
for key in ("architecture", "parameters", "tensors", "quantization", "tokenizer", "estimate"):
    assert key in report, key
assert report["parameters"] == 5770496
assert report["schema"] == "lq-result/1" and report["status"] == "ok"
END
