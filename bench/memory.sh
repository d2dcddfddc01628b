#!/usr/bin/env bash
# Peak memory at the shapes of a 7B model with a vocabulary of 128,256, for three depths, which it must not
# grow with, and for many threads, each of which has its own piece.
. "$(dirname "$0")/common.sh"
type=${1:-Q4_K_M}
printf '%-8s %12s %8s %10s\n' layers "source MB" threads "peak MiB"
for layers in 1 2 4; do
  model=$(make_once "model-7b-$layers" --layers "$layers" --hidden 4096 --ffn 14336 --heads 32 --kv-heads 8 --vocab 128256)
  for threads in 1 2 16 64; do
    measure "$bin/lq-quant-gguf" "$model" -q -t "$type" -j "$threads" -o "$work/memory.gguf"
    printf '%-8s %12s %8s %10s\n' "$layers" "$(du -b "$model"/*.safetensors | awk '{ s += $1 } END { printf "%.0f", s / 1e6 }')" "$threads" "$rss"
    rm -f "$work"/memory.gguf*
  done
  rm -rf "$model"
done
