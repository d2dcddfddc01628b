#!/usr/bin/env bash
# lq-quant-gptq beside GPTQModel on the same windows: KL divergence to the float model (x 1e-3, by the judge here), and
# processor seconds of calibrating and quantizing; theirs of quantizing alone, from the loaded model to codes in memory.
#   compare.sh [tiny-llama|smollm2]...     default: the bundled model; smollm2 needs LQ_SMOLLM2
# Windows as in quality.sh. GPTQModel's range search is on (mse 2.4) where that is better, see the column.
. "$(dirname "$0")/../common.sh"
bash bench/gptq/setup_peer.sh
peer=$PWD/$work/gptqmodel/bin/python
[[ $work != /* ]] || peer=$work/gptqmodel/bin/python
out=$work/gptq-compare
threads=${LQ_BENCH_THREADS:-1}
export GPTQMODEL_CPU_WORKERS=2
mkdir -p "$out"

judged() { "$bin/judge" "$model" "$1" "$windows" "$threads" | python3 -c 'import json, sys; print("%.2f" % (1000 * json.load(sys.stdin)["kld_mean"]))'; }

ours() { # OPTIONS...: sets kl and cpu, calibration included
  measure "$bin/lq-quant-gptq" "$model" -f -qq -j "$threads" --calibration "$out/$name" "$@" -o "$out/ours"
  kl=$(judged "$out/ours") cpu=$(awk "BEGIN { printf \"%.2f\", $cpu + $calibrated }")
}

# row BITS GRID GROUP MSE: GRID is sym or asym
row() {
  local bits=$1 grid=$2 group=$3 mse=$4 format=gptq peer_cpu peer_kl cells=() method
  [ "$grid" = sym ] || format=gptq_v2
  peer_cpu=$("$peer" bench/gptq/gptqmodel_run.py "$model" "$tokens" "$out/peer" --bits "$bits" --group-size "$group" "--$grid" \
    --mse "$mse" --format "$format" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["quantize_seconds"]["cpu"])')
  peer_kl=$(judged "$out/peer")
  for method in "--effort fast" "" "--effort best" "--sequential" "--sequential --effort best"; do
    read -ra options <<<"-b $bits --$grid -g $group --format $format $method"
    ours "${options[@]}"
    cells+=("$kl/$cpu")
  done
  printf '%-11s %-5s %-5s %-6s %-4s %15s' "$name" "$bits" "$grid" "$group" "$mse" "$peer_kl/$peer_cpu"
  printf ' %15s' "${cells[@]}"
  echo
  rm -rf "$out/peer" "$out/ours"
}

begin() { # OPTIONS... of lq-calibrate
  rm -rf "$out/$name"
  measure "$bin/lq-calibrate" "$model" -qq -j "$threads" "$@" -o "$out/$name"
  calibrated=$cpu
}

tiny_llama() {
  model=tests/data/tiny-llama windows=tests/data/awq-gptq/eval.json tokens=tests/data/awq-gptq/calib.json
  begin --tokens $tokens
  row 4 sym 128 2.4
  row 4 asym 128 0
  row 4 sym 32 2.4
  row 3 sym 128 0
  row 3 asym 128 0
  row 2 sym 128 0
  row 8 sym 128 0
}

smollm2() {
  windows=$out/$name-eval.json tokens=$out/$name/tokens.safetensors
  smollm2_windows "$windows"
  begin
  row 4 sym 64 0
  row 3 sym 64 0
}

[ -f build/peers/env.sh ] && . build/peers/env.sh
[ $# -gt 0 ] || set -- tiny-llama
printf '%-11s %-5s %-5s %-6s %-4s %15s %15s %15s %15s %15s %15s\n' "KL/seconds" bits grid group mse GPTQModel fast normal best sequential "sequential best"
for name in "$@"; do ${name//-/_}; done
rm -rf "$out"
