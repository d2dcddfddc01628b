#!/usr/bin/env bash
# Solving the linear layers of a 7B model beside GPTQModel: processor seconds on one thread, adding the tokens up included.
#   layer_speed.sh [TOKENS] [ROUNDS]     default 4096 and 3; both sides take turns, medians are printed
# The last row is a whole layer: q, k, v share statistics and factor, gate and up another, on both sides; what GPTQModel
# spends on a site whatever its rows follows from its two matrices of 4096 columns.
. "$(dirname "$0")/../common.sh"
tokens=${1:-4096} rounds=${2:-3}
bash bench/gptq/setup_peer.sh
results=$(mktemp)
for ((round = 0; round < rounds; round++)); do
  for shape in "4096 4096" "11008 4096" "4096 11008"; do
    read -ra sides <<<"$shape"
    ours=$("$bin/layer_speed" "${sides[@]}" "$tokens")
    theirs=$("$work/gptqmodel/bin/python" bench/gptq/gptqmodel_layer.py "${sides[@]}" "$tokens" 2>/dev/null)
    printf '{"shape": "%s", "ours": %s, "theirs": %s}\n' "${shape/ /x}" "$ours" "$theirs" >>"$results"
  done
done
python3 - "$results" <<'PYTHON'
import json, statistics, sys

runs = [json.loads(line) for line in open(sys.argv[1])]
shapes = list(dict.fromkeys(run["shape"] for run in runs))
def medians(side):
    return {s: {k: statistics.median(r[side][k] for r in runs if r["shape"] == s) for k in runs[0][side]} for s in shapes}
ours, theirs = medians("ours"), medians("theirs")
site = {s: (v["gram"], v["factor"]) for s, v in ours.items()}
row = lambda name, *v: print("%-12s" % name + "".join(" %9.2f" % x for x in v))
print("%-12s" % "matrix" + "".join(" %9s" % x for x in ("gram", "factor", "ranges", "feedback", "sweeps", "fast", "normal", "peer gram", "peer all", "fast x", "normal x")))
def line(name, gram, factor, ranges, feedback, sweeps, other, peer_gram, peer):
    fast = gram + factor + ranges + feedback + other
    row(name, gram, factor, ranges, feedback, sweeps, fast, fast + sweeps, peer_gram, peer, fast / peer, (fast + sweeps) / peer)
for s in shapes:
    o, t = ours[s], theirs[s]
    line(s, o["gram"], o["factor"], o["ranges"], o["feedback"], o["sweeps"], o["load"] + o["store"], t["gram"], t["gram"] + t["solve"])
square, wide, down = shapes
count = {square: (2, 4), wide: (1, 2), down: (1, 1)}  # sites, matrices
total = lambda key, of: sum(count[s][of] * ours[s][key] for s in shapes)
per_row = (theirs[wide]["solve"] - theirs[square]["solve"]) / (11008 - 4096)
fixed = theirs[square]["solve"] - 4096 * per_row
peer_gram = sum(count[s][0] * theirs[s]["gram"] for s in shapes)
peer = peer_gram + 2 * fixed + 4 * 4096 * per_row + fixed + 2 * 11008 * per_row + theirs[down]["solve"]
line("layer", total("gram", 0), total("factor", 0), total("ranges", 1), total("feedback", 1), total("sweeps", 1), total("load", 1) + total("store", 1), peer_gram, peer)
PYTHON
rm -f "$results"
