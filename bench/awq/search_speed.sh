#!/usr/bin/env bash
# Searching the scales of a layer of 7B shapes, processor seconds on one thread, beside a search by forward passes as AutoAWQ has it
# (reference_search.py says what that is).
#   search_speed.sh [TOKENS] [HIDDEN FFN HEADS]     default 2048 and a Llama-2-7B
# Ours is the whole search, by the grid of two exponents, whatever the tokens were. Of the reference one ratio and one step of
# clipping are timed over TOKENS; a search is 20 ratios over all calibration tokens, with which it grows, and 10 steps of
# clipping over 512. Needs torch: LQ_TRANSFORMERS_PYTHON of tests/peers/setup.sh.
. "$(dirname "$0")/../common.sh"
[ -f build/peers/env.sh ] && . build/peers/env.sh
tokens=${1:-2048} hidden=${2:-4096} ffn=${3:-11008} heads=${4:-32}
ours=$("$bin/search_speed" "$hidden" "$ffn")
theirs=$("${LQ_TRANSFORMERS_PYTHON:?is not set, see tests/peers/setup.sh}" bench/awq/reference_search.py "$hidden" "$ffn" "$heads" "$tokens")
python3 - "$ours" "$theirs" "$tokens" <<'PYTHON'
import json, sys
ours, theirs, tokens = json.loads(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
print("%-34s" % "processor seconds" + "".join(" %9s" % g for g in ours) + " %9s %9s" % ("clipping", "layer"))
row = lambda name, values, clip: print("%-34s" % name + "".join(" %9.1f" % v for v in values) + " %9.1f %9.1f" % (clip, sum(values) + clip))
row("ours, whole search", ours.values(), 0)
for n in dict.fromkeys((tokens, 8192, 32768, 65536)):
    row("reference, 20 ratios, %d tokens" % n, [20 * theirs[g] * n / tokens for g in ours], 10 * theirs["clip_step"])
PYTHON
