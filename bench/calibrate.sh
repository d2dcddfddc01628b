#!/usr/bin/env bash
# lq-calibrate at the shapes of a 1B and a 7B model with random weights and ids, full Gram matrices: time by phase,
# tokens per second and peak memory, and the memory with --stats diag. Layers are alike, so a few of them do; the time of
# all is their time times the number of layers (calibrate.sh LAYERS TOKENS asks for others).
. "$(dirname "$0")/common.sh"
layers=${1:-2} tokens=${2:-65536} threads=$(nproc)

python3 - "$work/windows.json" "$tokens" <<'PYTHON'
import json, random, sys
random.seed(0)
json.dump([[random.randrange(32000) for _ in range(512)] for _ in range(int(sys.argv[2]) // 512)], open(sys.argv[1], "w"))
PYTHON

phase() { python3 -c "import json; print('%.1f' % json.load(open('$work/calib/lq-manifest.json'))['result']['seconds_per_phase']['$1'])"; }

row() { # name, layers of the whole model, stats, make_model options...
  local name=$1 whole=$2 stats=$3 model
  shift 3
  model=$(make_once "calibrate-$name" --layers "$layers" --vocab 32000 "$@")
  rm -rf "$work/calib"
  measure "$bin/lq-calibrate" "$model" -qq -j "$threads" --tokens "$work/windows.json" --stats "$stats" -o "$work/calib"
  printf '%-14s %-5s %8s %9s %8s %8s %8s %8s %8s %9s %11s %9s\n' "$name" "$stats" "$layers/$whole" "$wall" \
    "$(phase weights)" "$(phase states)" "$(phase forward)" "$(phase statistics)" "$(phase encoding)" \
    "$(awk "BEGIN { printf \"%.0f\", $tokens * $layers / $whole / $wall }")" \
    "$(awk "BEGIN { printf \"%.1f\", $wall * $whole / $layers / 60 }")" "$rss"
  rm -rf "$work/calib"
}

printf '%s tokens, %s threads\n' "$tokens" "$threads"
printf '%-14s %-5s %8s %9s %8s %8s %8s %8s %8s %9s %11s %9s\n' model stats layers "wall s" weights states forward stats encode "tokens/s" "whole, min" "peak MiB"
for stats in full diag; do
  row llama-3.2-1b 16 $stats --hidden 2048 --ffn 8192 --heads 32 --kv-heads 8
  row llama-2-7b 32 $stats --hidden 4096 --ffn 11008 --heads 32 --kv-heads 32
done
