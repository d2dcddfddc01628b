#!/usr/bin/env bash
# What lq-quant-awq costs in quality: mean KL divergence to the float model and perplexity, for the ways to scale and to round,
# into bench/results/awq_quality.csv (rows of the models that are asked for are made anew, others stay).
#   quality.sh [tiny-llama|smollm2]...     default: the bundled model; smollm2 needs LQ_SMOLLM2
#   LQ_BENCH_THREADS=N                     threads of the tools; default 1
# Calibrations, texts that are judged, and what an interrupted run does: as in bench/gptq/quality.sh. "share" is the divergence
# over that of plain rounding, on ranges of the values without any calibration.
. "$(dirname "$0")/../common.sh"
csv=bench/results/awq_quality.csv
out=$work/awq-quality
threads=${LQ_BENCH_THREADS:-1}
header=model,group,scale,round,method,effort,kld_x1000,share,perplexity,float_perplexity
mkdir -p "$out" bench/results

# row GROUP SCALE ROUND METHOD EFFORT: quantizes $model, judges it on $windows, adds a line. SCALE, ROUND, EFFORT: as the tool's
# options, - where they mean nothing; METHOD: plain, one-pass, sequential.
row() {
  local group=$1 scale=$2 round=$3 method=$4 effort=$5 options result
  local label=$name,$group,$scale,$round,$method,$effort
  ! grep -q "^$label," "$out/$name.csv" 2>/dev/null || return 0
  options=(-g "$group")
  if [ "$method" = plain ]; then
    options+=(--data-free --ranges minmax)
  else
    options+=(--calibration "$out/$name-calibration" --scale "$scale" --round "$round")
    [ "$effort" = - ] || options+=(--effort "$effort")
    [ "$method" != sequential ] || options+=(--sequential)
  fi
  "$bin/lq-quant-awq" "$model" -f -qq -j "$threads" "${options[@]}" -o "$out/quantized" >/dev/null
  result=$("$bin/judge" "$model" "$out/quantized" "$windows" "$threads")
  [ "$method" != plain ] || printf '%s\n' "$result" >"$out/$name-plain.json"
  python3 - "$result" "$(cat "$out/$name-plain.json")" "$label" <<'PYTHON' | tee -a "$out/$name.csv"
import json, sys
judged, plain = map(json.loads, sys.argv[1:3])
print("%s,%.3f,%.3f,%.3f,%.3f" % (sys.argv[3], 1000 * judged["kld_mean"], judged["kld_mean"] / plain["kld_mean"],
      judged["perplexity"], judged["reference_perplexity"]))
PYTHON
}

# calibrate OPTIONS...: keeps what is there.
calibrate() {
  [ -d "$out/$name-calibration" ] || "$bin/lq-calibrate" "$model" -qq -j "$threads" "$@" -o "$out/$name-calibration" >/dev/null
}

tiny_llama() {
  local scale
  model=tests/data/tiny-llama windows=tests/data/awq-gptq/eval.json
  calibrate --tokens tests/data/awq-gptq/calib.json
  row 128 - - plain -
  for scale in none grid smooth auto; do
    row 128 $scale nearest one-pass -
    row 128 $scale gptq one-pass normal
  done
  row 128 auto gptq one-pass fast
  row 128 auto gptq one-pass best
  row 128 auto gptq sequential normal
  row 128 auto gptq sequential best
}

smollm2() {
  local scale
  windows=$out/$name-eval.json
  smollm2_windows "$windows"
  calibrate
  row 64 - - plain -
  for scale in none grid smooth auto; do
    row 64 $scale nearest one-pass -
    row 64 $scale gptq one-pass normal
  done
  row 64 auto gptq sequential normal
}

[ -f build/peers/env.sh ] && . build/peers/env.sh
[ $# -gt 0 ] || set -- tiny-llama
for name in "$@"; do
  ${name//-/_}
  merge_csv $csv $header "$name" "$out/$name.csv"
done
rm -rf "$out"
