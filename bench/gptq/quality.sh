#!/usr/bin/env bash
# What lq-quant-gptq costs in quality: mean KL divergence to the float model and perplexity, for the methods, efforts, grids
# and dampings, into bench/results/gptq_quality.csv (rows of the models that are asked for are made anew, others stay).
#   quality.sh [tiny-llama|smollm2]...     default: the bundled model; smollm2 needs LQ_SMOLLM2
#   LQ_BENCH_THREADS=N                     threads of the tools; default 1
# An interrupted run goes on where it was.
# tiny-llama: the 46 windows of tests/data/awq-gptq/calib.json and three draws of 36 of them, judged on eval.json beside
# it. SmolLM2: the texts of lq-calibrate (64 windows of 512), judged on the first six windows of 512 tokens of
# tests/data/tiny-llama-golden/eval.txt.
. "$(dirname "$0")/../common.sh"
csv=bench/results/gptq_quality.csv
out=$work/gptq-quality
threads=${LQ_BENCH_THREADS:-1}
header=model,calibration,method,bits,grid,group,effort,damp,damp_kind,kld_x1000,perplexity,float_perplexity
mkdir -p "$out" bench/results

# grid_options GRID: symmetric grids with scales of either sign, or positive ones, or with zero points.
grid_options() {
  case $1 in
    signed) echo "--sym" ;;
    positive) echo "--sym --scale-sign positive" ;;
    asym) echo "--asym --format gptq_v2" ;;
  esac
}

# row CALIBRATION METHOD BITS GRID GROUP EFFORT DAMP DAMP_KIND: quantizes $model, judges it on $windows, adds a line.
# METHOD: minmax, rounding (searched ranges), one-pass, sequential. The last three are - where they mean nothing.
row() {
  local calibration=$1 method=$2 bits=$3 grid=$4 group=$5 effort=$6 damp=$7 kind=$8 options result
  local label=$name,$calibration,$method,$bits,$grid,$group,$effort,$damp,$kind
  ! grep -q "^$label," "$out/$name.csv" 2>/dev/null || return 0
  read -ra options <<<"$(grid_options "$grid") -b $bits -g $group"
  case $method in
    minmax) options+=(--data-free --ranges minmax) ;;
    rounding) options+=(--data-free) ;;
    *) options+=(--calibration "$out/$name-$calibration" --effort "$effort" --damp "$damp" --damp-kind "$kind") ;;
  esac
  [ "$method" != sequential ] || options+=(--sequential)
  "$bin/lq-quant-gptq" "$model" -f -qq -j "$threads" "${options[@]}" -o "$out/quantized" >/dev/null
  result=$("$bin/judge" "$model" "$out/quantized" "$windows" "$threads")
  python3 - "$result" "$label" <<'PYTHON' | tee -a "$out/$name.csv"
import json, sys
judged = json.loads(sys.argv[1])
print("%s,%.3f,%.3f,%.3f" % (sys.argv[2], 1000 * judged["kld_mean"], judged["perplexity"], judged["reference_perplexity"]))
PYTHON
}

# calibrated CALIBRATION EFFORTS METHODS BITS GRIDS GROUP: lists are one word each, separated by spaces.
calibrated() {
  local method bits grid effort
  for bits in $4; do for grid in $5; do for method in $3; do for effort in $2; do
    row "$1" "$method" "$bits" "$grid" "$6" "$effort" 0.1 channel
  done; done; done; done
}

# dampings CALIBRATION METHODS BITS GRIDS GROUP: what is not the default, at the default effort.
dampings() {
  local method bits grid damp
  for bits in $3; do for grid in $4; do for method in $2; do for damp in "0.01 mean" "0.03 mean" "0.01 channel" "0.03 channel"; do
    row "$1" "$method" "$bits" "$grid" "$5" normal ${damp% *} ${damp#* }
  done; done; done; done
}

uncalibrated() { # METHODS BITS GRIDS GROUP
  local method bits grid
  for bits in $2; do for grid in $3; do for method in $1; do
    row - "$method" "$bits" "$grid" "$4" - - -
  done; done; done
}

# calibrate NAME OPTIONS...: keeps what is there.
calibrate() {
  local folder=$out/$name-$1
  shift
  [ -d "$folder" ] || "$bin/lq-calibrate" "$model" -qq -j "$threads" "$@" -o "$folder" >/dev/null
}

tiny_llama() {
  local data=tests/data/awq-gptq draw
  model=tests/data/tiny-llama windows=$data/eval.json
  calibrate all --tokens $data/calib.json
  for draw in 1 2 3; do
    python3 - $data/calib.json "$draw" >"$out/draw.json" <<'PYTHON'
import json, random, sys
windows = json.load(open(sys.argv[1]))
json.dump([windows[i] for i in sorted(random.Random(int(sys.argv[2])).sample(range(len(windows)), 36))], sys.stdout)
PYTHON
    calibrate draw$draw --tokens "$out/draw.json"
  done
  uncalibrated "minmax rounding" "4 3 2" "signed positive asym" 128
  uncalibrated "minmax rounding" "4 3 2" "signed asym" 32
  calibrated all "fast normal best" "one-pass sequential" "4 3 2" "signed positive asym" 128
  calibrated all "fast normal best" "one-pass sequential" "4 3 2" "signed asym" 32
  calibrated all normal "one-pass sequential" 8 signed 128
  dampings all "one-pass sequential" "4 3" "signed asym" 128
  for draw in draw1 draw2 draw3; do
    calibrated $draw normal "one-pass sequential" "4 3 2" "signed asym" 128
    dampings $draw one-pass "4 3" signed 128
  done
}

smollm2() {
  windows=$out/$name-eval.json
  smollm2_windows "$windows"
  calibrate all
  uncalibrated rounding "4 3" "signed asym" 64
  calibrated all "normal best" one-pass "4 3" "signed asym" 64
  calibrated all fast one-pass "4 3" signed 64
  dampings all one-pass 3 signed 64
  calibrated all normal sequential "4 3" signed 64
}

[ -f build/peers/env.sh ] && . build/peers/env.sh
[ $# -gt 0 ] || set -- tiny-llama
for name in "$@"; do
  ${name//-/_}
  merge_csv $csv $header "$name" "$out/$name.csv"
done
rm -rf "$out"
