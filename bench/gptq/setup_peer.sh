#!/usr/bin/env bash
# Installs GPTQModel, which lq-quant-gptq is compared with, for the CPU into build/bench/gptqmodel: one to two minutes,
# 1.6 GB. What is there is not installed again. Needs the wheel of torch's CPU build, as tests/peers/setup.sh does.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=${LQ_BENCH_DIR:-build/bench}/gptqmodel
packages=(gptqmodel==7.6.0 torch==2.13.0+cpu transformers==5.23.0 numpy setuptools wheel ninja)
log=$dir/install.log
stamp=$dir/installed
[ "$(cat "$stamp" 2>/dev/null)" != "${packages[*]}" ] || exit 0
mkdir -p "$dir"

# gptqmodel's build asks for torch, so that is there before.
install() {
  python3 -m venv "$dir" &&
    "$dir/bin/pip" install --quiet --disable-pip-version-check "${packages[@]:1}" &&
    "$dir/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation "${packages[@]}" &&
    CUDA_VISIBLE_DEVICES='' "$dir/bin/python" -c 'import torch, gptqmodel; assert torch.version.cuda is None'
}
if ! install >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  printf 'setup_peer.sh: error: cannot install GPTQModel\n  why: see above (%s)\n  fix: check the network, and that pip finds %s (PIP_FIND_LINKS)\n' "$log" "${packages[1]}" >&2
  exit 1
fi
printf '%s\n' "${packages[*]}" >"$stamp"
