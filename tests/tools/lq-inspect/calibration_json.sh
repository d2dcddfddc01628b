"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 --compute f32 -o calib -qq > made
"$LQ_BIN/lq-inspect" calib --json --tensors | python3 -c '
import json, sys
report = json.load(sys.stdin)
assert list(report)[:8] == ["schema", "tool", "status", "path", "kind", "files", "file_bytes", "id"], list(report)
assert report["kind"] == "calibration" and report["stats"] == "full" and report["data"]["tokens"] == 1024, report
sites = report["statistics_per_site"]
assert [(s["layer"], s["site"]) for s in sites[:2] + sites[-1:]] == [(0, "attn_in"), (0, "attn_out"), (-1, "head_in")]
assert len(sites) == 25 and all(0 < s["rms"] <= s["largest"] for s in sites)
'
