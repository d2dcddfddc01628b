#!/usr/bin/env bash
# Runs Makefile.example as a user would: with two jobs, again (nothing to do), and after an input changed.
set -euo pipefail
bin=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }

cp -r "$root/tests/data/tiny-llama" "$scratch/tiny-llama"
cd "$scratch"
make_example() { make -f "$root/Makefile.example" MODEL=tiny-llama OUT=out BIN="$bin/" TYPES="Q8_0 Q4_K_M" "$@"; }

make_example -j2
for type in Q8_0 Q4_K_M; do
  [ -s "out/tiny-llama-$type.gguf" ] || fail "no $type file was made"
done

make_example -q || fail "a second make finds something to do"

first=$(sha256sum out/*.gguf)
sleep 0.01 # a later time stamp than the results
touch tiny-llama/tokenizer.json
! make_example -q || fail "make does not see that the tokenizer changed"
make_example -j2
[ "$(sha256sum out/*.gguf)" = "$first" ] || fail "touching an input without a change altered the bytes"
make_example -q || fail "make does not settle after an input was touched"

sed -i 's/"max_position_embeddings": 512/"max_position_embeddings": 256/' tiny-llama/config.json
make_example -j2
[ "$(sha256sum out/*.gguf)" != "$first" ] || fail "a changed config.json altered nothing"

make_example one-read
make_example inspect >report.txt
grep -q Q4_K_M report.txt || fail "inspect lists no Q4_K_M"
