types=F32,F16,BF16,Q8_0,Q4_0,Q4_1,Q5_0,Q5_1,Q2_K,Q3_K_S,Q3_K_M,Q3_K_L,Q4_K_S,Q4_K_M,Q5_K_S,Q5_K_M,Q6_K
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t $types -o '{type}.gguf' -q > made 2> warnings
"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --estimate=$types --json > estimate
python3 - <<'END'
import json, os
rows = json.load(open("estimate"))["estimate"]
assert len(rows) == 17, rows
for row in rows:
    assert row["bytes"] == os.path.getsize(row["type"] + ".gguf"), row
END
