#!/usr/bin/env bash
# lq-calibrate and lq-quant-awq on the bundled model and at the shapes of a 1B and a 7B model with random weights and ids: seconds of
# each phase, processor seconds and peak memory.
#   end_to_end.sh [LAYERS] [TOKENS] [MODEL]...     default 2, 8192, tiny-llama llama-3.2-1b llama-2-7b
#   LQ_BENCH_METHODS="auto none nearest sequential"   which runs of lq-quant-awq; default auto; LQ_BENCH_THREADS: default all
# The synthetic models have channels of very different sizes, so that scales are found, tried and taken. Calibrating grows with
# the tokens; choosing scales and one pass do not.
. "$(dirname "$0")/../common.sh"
. bench/few_layers.sh
layers=${1:-2} tokens=${2:-8192} threads=${LQ_BENCH_THREADS:-$(nproc)}
methods=${LQ_BENCH_METHODS:-auto}
tool=lq-quant-awq make_options="--norm-deviation 3" kind=-outliers
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- tiny-llama llama-3.2-1b llama-2-7b

options_of() { # METHOD
  case $1 in
    auto) ;;
    none) echo --scale none ;;
    nearest) echo --round nearest ;;
    sequential) echo --sequential ;;
    *) echo "$0: no such method: $1" >&2; exit 2 ;;
  esac
}

bundled() {
  local method options
  model_name=tiny-llama
  rm -rf "$work/calib" "$work/quantized"
  measure "$bin/lq-calibrate" tests/data/tiny-llama -qq -j "$threads" --tokens tests/data/awq-gptq/calib.json -o "$work/calib"
  line calibrate "$work/calib" 6 6
  for method in $methods; do
    read -ra options <<<"$(options_of "$method")"
    measure "$bin/lq-quant-awq" tests/data/tiny-llama -qq -f -j "$threads" --calibration "$work/calib" "${options[@]}" -o "$work/quantized"
    line "$method" "$work/quantized" 6 6
  done
  rm -rf "$work/calib" "$work/quantized"
}

random_windows "$tokens"
heading
for name in "$@"; do
  if [ "$name" = tiny-llama ]; then bundled; else run_shape "$name"; fi
done
