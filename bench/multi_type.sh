#!/usr/bin/env bash
# Three types from one reading of the model against three runs: time, and bytes read from the weights as the manifest
# counts them.
. "$(dirname "$0")/common.sh"
types=(Q8_0 Q5_K_M Q4_K_M)
model=$(make_once model-1b --layers 8 --hidden 2048 --ffn 8192 --heads 32 --kv-heads 8 --vocab 32000)
bytes_read() { # of a run's JSON result
  sed -n 's/.*"read_bytes":\([0-9]*\).*/\1/p' "$1" | awk '{ s += $1 } END { printf "%.0f", s / 1e6 }'
}

rm -f "$work"/multi-*
measure bash -c "'$bin/lq-quant-gguf' '$model' -q --json -t $(IFS=,; echo "${types[*]}") -o '$work/multi-{type}.gguf' >'$work/multi.json'"
one_wall=$wall one_read=$(bytes_read "$work/multi.json")
rm -f "$work"/multi-*
three_wall=0
: >"$work/three.json"
for type in "${types[@]}"; do
  measure bash -c "'$bin/lq-quant-gguf' '$model' -q --json -t $type -o '$work/multi-{type}.gguf' >>'$work/three.json'"
  three_wall=$(awk "BEGIN { print $three_wall + $wall }")
done
printf '%-12s %10s %12s\n' runs "wall s" "read MB"
printf '%-12s %10s %12s\n' "one for all" "$one_wall" "$one_read" "three" "$three_wall" "$(bytes_read "$work/three.json")"
printf 'one run takes %s of the time of three\n' "$(ratio "$one_wall" "$three_wall")"
rm -f "$work"/multi*
