#!/usr/bin/env bash
# The forward pass at the shapes of a 1B model: its share of oneDNN's own BF16 rate, alone and with Gram matrices, and
# its tokens per second beside llama.cpp's prompt evaluation of the same BF16 model.
#   forward.sh [ROUNDS]     default 3; the two programs take turns, medians are printed
# One thread is compared by processor time, all of them by the wall.
. "$(dirname "$0")/common.sh"
need_peer
rounds=${1:-3}
layers=4
model=$(make_once model-1b-forward --layers $layers --hidden 2048 --ffn 8192 --heads 32 --kv-heads 8 --vocab 32000)
gguf=$work/model-1b-forward.gguf
[ -s "$gguf" ] || "$bin/lq-quant-gguf" "$model" -q -t BF16 -o "$gguf" >/dev/null

for threads in $(printf '1\n%s\n' "$(nproc)" | sort -nu); do
  "$bin/forward_rate" "$model" --threads "$threads" --rounds "$rounds"
  echo
done

echo "tokens/s, $layers layers and the head, 4 windows of 512, median of $rounds"
printf '%-8s %10s %10s %8s\n' threads lq llama.cpp "speed x"
for threads in $(printf '1\n%s\n' "$(nproc)" | sort -nu); do
  column=$([ "$threads" -eq 1 ] && echo 2 || echo 1)
  ours=() theirs=()
  for ((round = 0; round < rounds; round++)); do
    ours+=("$("$bin/forward_rate" "$model" --tokens-per-second --threads "$threads" --rounds 1 | cut -d' ' -f$column)")
    theirs+=("$("$LLAMA_PEER" bench-prompt "$gguf" 2048 "$threads" --reps 1 | cut -d' ' -f$column)")
  done
  a=$(median "${ours[@]}") b=$(median "${theirs[@]}")
  printf '%-8s %10s %10s %8s\n' "$threads" "$a" "$b" "$(ratio "$a" "$b")"
done
