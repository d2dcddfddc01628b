# Shared by the bench scripts: where things are, medians, and measured runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=$PWD/build/release/bin
[ -x "$bin/lq-quant-gguf" ] && [ -x "$bin/make_model" ] || {
  printf '%s: error: the tools are not built\n  why: %s does not hold lq-quant-gguf and make_model\n  fix: cmake --preset release && cmake --build --preset release\n' "$0" "$bin" >&2
  exit 1
}
work=${LQ_BENCH_DIR:-build/bench}
mkdir -p "$work"

need_peer() {
  [ -f build/peers/env.sh ] && . build/peers/env.sh
  [ -x "${LLAMA_PEER:-}" ] || {
    printf '%s: error: llama.cpp is not there\n  why: build/peers/env.sh names no LLAMA_PEER\n  fix: bash tests/peers/setup.sh\n' "$0" >&2
    exit 1
  }
}

# make_once NAME OPTIONS...: a synthetic model in the bench folder, kept for the next run.
make_once() {
  local folder=$work/$1
  shift
  if [ "$(cat "$folder/.made" 2>/dev/null)" != "$*" ]; then
    rm -rf "$folder"
    "$bin/make_model" "$folder" "$@" >/dev/null
    printf '%s\n' "$*" >"$folder/.made"
  fi
  printf '%s\n' "$folder"
}

# measure COMMAND...: runs it and sets wall, cpu (seconds) and rss (MiB).
measure() {
  local report
  report=$(mktemp)
  env time -f '%e %U %S %M' -o "$report" "$@" >/dev/null 2>"$report.err" || { cat "$report.err" >&2; exit 1; }
  read -r wall user system rss_kib <"$report"
  cpu=$(awk "BEGIN { print $user + $system }")
  rss=$(awk "BEGIN { printf \"%.1f\", $rss_kib / 1024 }")
  rm -f "$report" "$report.err"
}

median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }

# Empties the page cache where that is allowed; says so where it is not.
drop_caches() {
  sync
  { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null || echo "(page cache stays warm: not root)" >&2
}

# smollm2_windows FILE: sets model to the folder of SmolLM2-135M and writes the windows that it is judged on, the first six of 512
# tokens of the bundled text.
smollm2_windows() {
  model=${LQ_SMOLLM2:?is not set: the folder of SmolLM2-135M, see tests/peers/setup.sh}
  "$bin/lq-inspect" "$model" --json --no-special --tokenize tests/data/tiny-llama-golden/eval.txt |
    python3 -c 'import json, sys; ids = json.load(sys.stdin)["ids"]; print([ids[i : i + 512] for i in range(0, 3072, 512)])' >"$1"
}

# merge_csv CSV HEADER MODEL ROWS: puts the rows of the file ROWS in the place of those that CSV has of MODEL; sorted by models.
merge_csv() {
  { echo "$2"; { grep -hv "^model,\|^$3," "$1" 2>/dev/null || true; cat "$4"; } | LC_ALL=C sort -s -t, -k1,1; } >"$4.merged"
  mv "$4.merged" "$1"
}
