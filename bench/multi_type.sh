#!/usr/bin/env bash
# Three types from one reading of the model against three runs: time, and bytes read from the weights as the manifest
# counts them.
#   multi_type.sh [ROUNDS]     default 3; medians are printed, the two sides take turns
. "$(dirname "$0")/common.sh"
rounds=${1:-3}
types=(Q8_0 Q5_K_M Q4_K_M)
model=$(make_once model-1b --layers 8 --hidden 2048 --ffn 8192 --heads 32 --kv-heads 8 --vocab 32000)
bytes_read() { # of a run's JSON result
  sed -n 's/.*"read_bytes":\([0-9]*\).*/\1/p' "$1" | awk '{ s += $1 } END { printf "%.0f", s / 1e6 }'
}

one_wall=() one_cpu=() three_wall=() three_cpu=()
for ((round = 0; round < rounds; round++)); do
  rm -f "$work"/multi-*
  measure bash -c "'$bin/lq-quant-gguf' '$model' -q --json -t $(IFS=,; echo "${types[*]}") -o '$work/multi-{type}.gguf' >'$work/one.json'"
  one_wall+=("$wall") one_cpu+=("$cpu")
  rm -f "$work"/multi-*
  three="set -e; "
  for type in "${types[@]}"; do
    three+="'$bin/lq-quant-gguf' '$model' -q --json -t $type -o '$work/multi-{type}.gguf'; "
  done
  measure bash -c "{ $three } >'$work/three.json'"
  three_wall+=("$wall") three_cpu+=("$cpu")
done
printf '%-12s %10s %10s %12s\n' runs "wall s" "cpu s" "read MB"
a=$(median "${one_wall[@]}") b=$(median "${three_wall[@]}") c=$(median "${one_cpu[@]}") d=$(median "${three_cpu[@]}")
printf '%-12s %10s %10s %12s\n' "one for all" "$a" "$c" "$(bytes_read "$work/one.json")" three "$b" "$d" "$(bytes_read "$work/three.json")"
printf 'one run takes %s of the wall time and %s of the processor time of three\n' "$(ratio "$a" "$b")" "$(ratio "$c" "$d")"
rm -f "$work"/multi-* "$work/one.json" "$work/three.json"
