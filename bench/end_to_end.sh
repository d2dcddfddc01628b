#!/usr/bin/env bash
# From safetensors to Q4_K_M against llama.cpp's quantizer on its own GGUF of the same weights (its converter is not
# counted), and the copy-like types against `cp` plus `sync`.
#   end_to_end.sh [ROUNDS]     default 3; medians are printed, the two sides take turns
. "$(dirname "$0")/common.sh"
need_peer
rounds=${1:-3}

model=$(make_once model-1b --layers 8 --hidden 2048 --ffn 8192 --heads 32 --kv-heads 8 --vocab 32000)
source_mb=$(du -b "$model"/*.safetensors | awk '{ s += $1 } END { printf "%.0f", s / 1e6 }')
[ -s "$work/model-1b-bf16.gguf" ] || "$bin/lq-quant-gguf" "$model" -q -t BF16 -o "$work/model-1b-bf16.gguf" >/dev/null

echo "Q4_K_M, BF16 source of $source_mb MB, median of $rounds"
printf '%-8s %10s %10s %10s %10s %8s %8s %9s %9s\n' threads "lq wall" "peer wall" "lq cpu" "peer cpu" "wall x" "cpu x" "lq MiB" "peer MiB"
for threads in 1 2; do
  lq_wall=() peer_wall=() lq_cpu=() peer_cpu=() lq_rss=0 peer_rss=0
  for ((round = 0; round < rounds; round++)); do
    rm -f "$work"/ours.gguf* "$work/peer.gguf"
    measure "$bin/lq-quant-gguf" "$model" -q -t Q4_K_M -j "$threads" -o "$work/ours.gguf"
    lq_wall+=("$wall") lq_cpu+=("$cpu") lq_rss=$rss
    measure "$LLAMA_PEER" quantize "$work/model-1b-bf16.gguf" "$work/peer.gguf" Q4_K_M none "$threads"
    peer_wall+=("$wall") peer_cpu+=("$cpu") peer_rss=$rss
  done
  a=$(median "${lq_wall[@]}") b=$(median "${peer_wall[@]}") c=$(median "${lq_cpu[@]}") d=$(median "${peer_cpu[@]}")
  printf '%-8s %10s %10s %10s %10s %8s %8s %9s %9s\n' "$threads" "$a" "$b" "$c" "$d" "$(ratio "$b" "$a")" "$(ratio "$d" "$c")" "$lq_rss" "$peer_rss"
done
rm -f "$work"/ours.gguf* "$work/peer.gguf"

echo
echo "copy-like types: MB/s of source, cold cache, both until the disk has it"
printf '%-6s %10s %10s %8s\n' type "lq MB/s" "cp MB/s" "share"
for type in F16 BF16 Q8_0; do
  lq_wall=() cp_wall=()
  for ((round = 0; round < rounds; round++)); do
    rm -rf "$work"/ours.gguf* "$work/copy"
    drop_caches
    measure "$bin/lq-quant-gguf" "$model" -q -t "$type" -j 2 -o "$work/ours.gguf"
    lq_wall+=("$wall")
    rm -f "$work"/ours.gguf*
    drop_caches
    measure bash -c "mkdir '$work/copy' && cp --reflink=never '$model'/*.safetensors '$work/copy' && sync '$work'/copy/*"
    cp_wall+=("$wall")
  done
  lq_rate=$(ratio "$source_mb" "$(median "${lq_wall[@]}")") cp_rate=$(ratio "$source_mb" "$(median "${cp_wall[@]}")")
  printf '%-6s %10s %10s %7.0f%%\n' "$type" "$lq_rate" "$cp_rate" "$(awk "BEGIN { print 100 * $lq_rate / $cp_rate }")"
done
rm -rf "$work"/ours.gguf* "$work/copy"
