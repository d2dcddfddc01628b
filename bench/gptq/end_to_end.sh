#!/usr/bin/env bash
# lq-calibrate and lq-quant-gptq at the shapes of a 1B and a 7B model with random weights and ids: seconds of each phase,
# processor seconds and peak memory.
#   end_to_end.sh [LAYERS] [TOKENS] [MODEL]...     default 2, 65536, llama-3.2-1b llama-2-7b
#   LQ_BENCH_METHODS="fast normal sequential"      which runs of lq-quant-gptq; LQ_BENCH_THREADS: default all
# Layers are alike, so a few of them do; "whole" is the processor time of all of them, in minutes; embedding and head, which
# stay float, are counted with each.
. "$(dirname "$0")/../common.sh"
layers=${1:-2} tokens=${2:-65536} threads=${LQ_BENCH_THREADS:-$(nproc)}
methods=${LQ_BENCH_METHODS:-fast normal sequential}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- llama-3.2-1b llama-2-7b

python3 - "$work/windows.json" "$tokens" <<'PYTHON'
import json, random, sys
random.seed(0)
json.dump([[random.randrange(32000) for _ in range(512)] for _ in range(int(sys.argv[2]) // 512)], open(sys.argv[1], "w"))
PYTHON

line() { # RUN FOLDER WHOLE_LAYERS
  python3 - "$2/lq-manifest.json" "$model_name" "$1" "$layers" "$3" "$wall" "$cpu" "$rss" <<'PYTHON'
import json, sys
manifest, model, run, layers, whole, wall, cpu, rss = sys.argv[1:]
phases = json.load(open(manifest))["result"]["seconds_per_phase"]
print("%-13s %-11s %6s/%-3s %8.1f %8.1f %8.1f %9.0f   %s" % (model, run, layers, whole, float(wall), float(cpu),
      float(cpu) * int(whole) / int(layers) / 60, float(rss), ", ".join("%s %.1f" % item for item in phases.items())))
PYTHON
}

run_model() { # NAME WHOLE_LAYERS make_model options...
  local whole=$2 model method options
  model_name=$1
  shift 2
  model=$(make_once "calibrate-$model_name" --layers "$layers" --vocab 32000 "$@")
  rm -rf "$work/calib" "$work/quantized"
  measure "$bin/lq-calibrate" "$model" -qq -j "$threads" --tokens "$work/windows.json" -o "$work/calib"
  line calibrate "$work/calib" "$whole"
  for method in $methods; do
    options=(--effort "$method")
    [ "$method" != sequential ] || options=(--sequential)
    measure "$bin/lq-quant-gptq" "$model" -qq -f -j "$threads" --calibration "$work/calib" "${options[@]}" -o "$work/quantized"
    line "$method" "$work/quantized" "$whole"
  done
  rm -rf "$work/calib" "$work/quantized"
}

printf '%s tokens, %s threads\n' "$tokens" "$threads"
printf '%-13s %-11s %10s %8s %8s %8s %9s   %s\n' model run layers "wall s" "proc. s" "whole min" "peak MiB" "seconds of phases"
for name in "$@"; do
  case $name in
    llama-3.2-1b) run_model "$name" 16 --hidden 2048 --ffn 8192 --heads 32 --kv-heads 8 ;;
    llama-2-7b) run_model "$name" 32 --hidden 4096 --ffn 11008 --heads 32 --kv-heads 32 ;;
    *) echo "end_to_end.sh: no such model: $name" >&2; exit 2 ;;
  esac
done
