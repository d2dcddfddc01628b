#!/usr/bin/env bash
# From nothing to quantized models: installs what building needs, builds the release preset with every tool, shows
# what the bundled model is, calibrates it, makes several GGUF types of it from one reading, and closes with a table of
# the results.
# Run again, it only does what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

types=F16,Q8_0,Q6_K,Q5_K_M,Q4_K_M,Q4_0
model=tests/data/tiny-llama
out=build/quickstart
bin=build/release/bin

step() { printf '\n== %s\n' "$*" >&2; }

step "packages"
bash pipelines/setup.sh

step "build (release)"
[ -f build/release/build.ninja ] || cmake --preset release >&2
cmake --build --preset release --target tools/all >&2

step "the model"
"$bin/lq-inspect" "$model" --estimate "$types"

mkdir -p "$out"
step "calibrate"
"$bin/lq-calibrate" "$model" -o "$out/tiny-llama-calib" >"$out/calibration.txt"

step "quantize: $types"
"$bin/lq-quant-gguf" "$model" -t "$types" --calibration "$out/tiny-llama-calib" -o "$out/tiny-llama-{type}.gguf" >"$out/results.txt"

step "results"
source_bytes=$(stat -c %s "$model/model.safetensors")
parameters=$("$bin/lq-inspect" "$model" --json | sed -n 's/.*"parameters":\([0-9]*\).*/\1/p')
printf '%-8s %12s %16s %12s  %s\n' type bytes "bits per weight" "% of source" file
while IFS= read -r file; do
  type=${file##*/tiny-llama-}
  awk -v type="${type%.gguf}" -v bytes="$(stat -c %s "$file")" -v source="$source_bytes" \
    -v parameters="$parameters" -v file="${file#"$PWD/"}" 'BEGIN {
      printf "%-8s %12d %16.2f %12.1f  %s\n", type, bytes, 8 * bytes / parameters, 100 * bytes / source, file
    }'
done <"$out/results.txt"
