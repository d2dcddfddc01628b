#!/usr/bin/env bash
# Solving the linear layers of a 7B model beside GPTQModel: processor seconds on one thread, adding the tokens up included.
#   layer_speed.sh [TOKENS] [ROUNDS]     default 4096 and 3; both sides take turns, medians are printed
# The last row is a whole layer: q, k, v share statistics and factor, gate and up another, on both sides; what GPTQModel
# spends on a site whatever its rows follows from its two matrices of 4096 columns. Our ranges are always searched;
# GPTQModel runs as it does by default, from the ranges of the weights, and with its own search (mse 2.4), which its
# best results at 4 bits have. Shares are ours by theirs.
. "$(dirname "$0")/../common.sh"
tokens=${1:-4096} rounds=${2:-3}
bash bench/gptq/setup_peer.sh
results=$(mktemp)
peer() { "$work/gptqmodel/bin/python" bench/gptq/gptqmodel_layer.py "$@" 2>/dev/null; }
for ((round = 0; round < rounds; round++)); do
  for shape in "4096 4096" "11008 4096" "4096 11008"; do
    read -ra sides <<<"$shape"
    ours=$("$bin/layer_speed" "${sides[@]}" "$tokens")
    theirs=$(peer "${sides[@]}" "$tokens")
    searching=$(peer "${sides[@]}" "$tokens" --mse 2.4)
    printf '{"shape": "%s", "ours": %s, "theirs": %s, "searching": %s}\n' "${shape/ /x}" "$ours" "$theirs" "$searching" >>"$results"
  done
done
python3 - "$results" <<'PYTHON'
import json, statistics, sys

runs = [json.loads(line) for line in open(sys.argv[1])]
shapes = list(dict.fromkeys(run["shape"] for run in runs))
def medians(side):
    return {s: {k: statistics.median(r[side][k] for r in runs if r["shape"] == s) for k in runs[0][side]} for s in shapes}
ours, peers = medians("ours"), [medians("theirs"), medians("searching")]
square, wide, down = shapes
count = {square: (2, 4), wide: (1, 2), down: (1, 1)}  # sites, matrices
phases = ("gram", "factor", "ranges", "feedback", "sweeps", "load", "store")
per_site = ("gram", "factor")

def peer_layer(theirs):
    per_row = (theirs[wide]["solve"] - theirs[square]["solve"]) / (11008 - 4096)
    fixed = theirs[square]["solve"] - 4096 * per_row
    solve = 3 * fixed + (4 * 4096 + 2 * 11008) * per_row + theirs[down]["solve"]
    return sum(count[s][0] * theirs[s]["gram"] for s in shapes) + solve

def line(name, own, all_peers):
    fast = sum(own.values()) - own["sweeps"]
    cells = [own[p] for p in phases[:5]] + [fast, fast + own["sweeps"]]
    for peer in all_peers:
        cells += [peer, fast / peer, (fast + own["sweeps"]) / peer]
    print("%-12s" % name + "".join(" %9.2f" % x for x in cells))

heads = phases[:5] + ("fast", "normal", "peer", "fast x", "normal x", "searching", "fast x", "normal x")
print("%-12s" % "matrix" + "".join(" %9s" % x for x in heads))
for s in shapes:
    line(s, {p: ours[s][p] for p in phases}, [t[s]["gram"] + t[s]["solve"] for t in peers])
total = {p: sum(count[s][0 if p in per_site else 1] * ours[s][p] for s in shapes) for p in phases}
line("layer", total, [peer_layer(t) for t in peers])
PYTHON
rm -f "$results"
