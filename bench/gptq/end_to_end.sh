#!/usr/bin/env bash
# lq-calibrate and lq-quant-gptq at the shapes of a 1B and a 7B model with random weights and ids: seconds of each phase,
# processor seconds and peak memory.
#   end_to_end.sh [LAYERS] [TOKENS] [MODEL]...     default 2, 65536, llama-3.2-1b llama-2-7b
#   LQ_BENCH_METHODS="fast normal sequential"      which runs of lq-quant-gptq; LQ_BENCH_THREADS: default all
. "$(dirname "$0")/../common.sh"
. bench/few_layers.sh
layers=${1:-2} tokens=${2:-65536} threads=${LQ_BENCH_THREADS:-$(nproc)}
methods=${LQ_BENCH_METHODS:-fast normal sequential}
tool=lq-quant-gptq make_options= kind=
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- llama-3.2-1b llama-2-7b

options_of() { [ "$1" = sequential ] && echo --sequential || echo --effort "$1"; }

random_windows "$tokens"
heading
for name in "$@"; do run_shape "$name"; done
