#!/usr/bin/env bash
# Speed of the tokenizers of the families that the peer tests know, on one core, over English text.
#   tokenize.sh [TEXT]     default: the Perl and Python documentation that is on this machine, 20 MB at most
. "$(dirname "$0")/common.sh"
[ -f build/peers/env.sh ] && . build/peers/env.sh
[ -d "${LQ_NPM:-}" ] || {
  printf '%s: error: the tokenizers are not there\n  why: build/peers/env.sh names no LQ_NPM\n  fix: bash tests/peers/setup.sh\n' "$0" >&2
  exit 1
}
text=${1:-$work/english.txt}
if [ $# -eq 0 ]; then
  find /usr/share/perl /usr/share/common-licenses /usr/lib/python3* \( -name '*.pod' -o -name '*.txt' -o -path '*licenses*' \) \
    -type f -print0 2>/dev/null | sort -z | xargs -0 cat | LC_ALL=C tr -cd '\11\12\40-\176' | head -c 20000000 >"$text" || true
fi
directories=()
for family in llama3_1 qwen2_5 llama2 gpt2 gemma2 mistral_nemo; do
  directories+=("$LQ_NPM/@lenml/tokenizer-$family/models")
done
taskset -c 0 "$bin/tokenize_speed" "$text" "${directories[@]}"
