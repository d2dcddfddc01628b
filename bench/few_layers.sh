# Shared by gptq/end_to_end.sh and awq/end_to_end.sh: a few layers of the shapes of a 1B and a 7B model with random weights and ids,
# calibrated and quantized. Layers are alike, so that a few tell of all.

# random_windows TOKENS: windows of 512 ids, in $work/windows.json.
random_windows() {
  python3 - "$work/windows.json" "$1" <<'PYTHON'
import json, random, sys
random.seed(0)
json.dump([[random.randrange(32000) for _ in range(512)] for _ in range(int(sys.argv[2]) // 512)], open(sys.argv[1], "w"))
PYTHON
}

heading() {
  printf '%s tokens, %s threads\n' "$tokens" "$threads"
  printf '%-13s %-11s %10s %8s %8s %8s %9s   %s\n' model run layers "wall s" "proc. s" "whole min" "peak MiB" "seconds of phases"
}

# line RUN FOLDER LAYERS WHOLE_LAYERS: of what was measured last. "whole": processor time of all layers, in minutes; embedding
# and head, which stay float, are counted with each.
line() {
  python3 - "$2/lq-manifest.json" "$model_name" "$1" "$3" "$4" "$wall" "$cpu" "$rss" <<'PYTHON'
import json, sys
manifest, model, run, layers, whole, wall, cpu, rss = sys.argv[1:]
phases = json.load(open(manifest))["result"]["seconds_per_phase"]
print("%-13s %-11s %6s/%-3s %8.1f %8.1f %8.1f %9.0f   %s" % (model, run, layers, whole, float(wall), float(cpu),
      float(cpu) * int(whole) / int(layers) / 60, float(rss), ", ".join("%s %.1f" % item for item in phases.items())))
PYTHON
}

# run_shape NAME: $layers layers of it, through lq-calibrate and $tool in each of $methods; options_of METHOD names the
# options of one, make_options those of make_model.
run_shape() {
  local whole shape model method options
  model_name=$1
  case $1 in
    llama-3.2-1b) whole=16 shape="--hidden 2048 --ffn 8192 --heads 32 --kv-heads 8" ;;
    llama-2-7b) whole=32 shape="--hidden 4096 --ffn 11008 --heads 32 --kv-heads 32" ;;
    *) echo "$0: no such model: $1" >&2; exit 2 ;;
  esac
  # shellcheck disable=SC2086
  model=$(make_once "calibrate-$model_name$kind" --layers "$layers" --vocab 32000 $shape $make_options)
  rm -rf "$work/calib" "$work/quantized"
  measure "$bin/lq-calibrate" "$model" -qq -j "$threads" --tokens "$work/windows.json" -o "$work/calib"
  line calibrate "$work/calib" "$layers" "$whole"
  for method in $methods; do
    read -ra options <<<"$(options_of "$method")"
    measure "$bin/$tool" "$model" -qq -f -j "$threads" --calibration "$work/calib" "${options[@]}" -o "$work/quantized"
    line "$method" "$work/quantized" "$layers" "$whole"
  done
  rm -rf "$work/calib" "$work/quantized"
}
