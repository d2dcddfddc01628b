# A list of types in a word of its own means the same in front of the model, behind it and beside standard input.
model=$LQ_DATA/tiny-llama
sizes() { python3 -c 'import json, sys; print([[row["type"], row["bytes"]] for row in json.load(sys.stdin)["estimate"]])'; }
lq-inspect "--estimate=Q4_K_M,AWQ" "$model" --json | sizes
lq-inspect --estimate Q4_K_M,AWQ "$model" --json | sizes
lq-inspect "$model" --estimate Q4_K_M,AWQ --json | sizes
echo "$model" | lq-inspect - --estimate Q4_K_M,AWQ --json | sizes
echo "$model" | lq-inspect --estimate Q4_K_M,AWQ - --json | sizes
