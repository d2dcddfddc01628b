#!/usr/bin/env bash
# install.sh DIR [--hf]: a Python environment in DIR with vLLM for the CPU and transformers; --hf adds what hf-peer.py
# needs to read AWQ and GPTQ directories (GPTQModel, which compiles). Python 3.11 to 3.14 ($PYTHON), Linux x86-64.
# Prints nothing when all is well; what is there is not installed again.
# Exit status: 0 ready, 1 a package cannot be installed, 2 wrong call, 4 no package index, 5 no CPU build of torch.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

fail() { # status, what, why, fix
  printf 'install.sh: error: %s\n  why: %s\n  fix: %s\n' "$2" "$3" "$4" >&2
  exit "$1"
}
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ "${2:---hf}" != --hf ]; then
  fail 2 "wrong arguments: $*" "it takes a directory, and --hf or nothing" "bash tests/peers/vllm/install.sh DIR [--hf]"
fi
dir=$1
python=${PYTHON:-python3}
torch=2.13.0+cpu # with its local version, which the build for CUDA does not have
lists=("$here/requirements.txt")
[ -z "${2:-}" ] || lists+=("$here/requirements-hf.txt")
log=$dir/install.log

# One line for each list that is there.
wanted() { for list in "$@"; do cat "$here/install.sh" "$list" | sha256sum; done; }
stamp=$dir/vllm-peer.stamp
if [ -x "$dir/bin/python" ] && [ -f "$stamp" ] && ! wanted "${lists[@]}" | grep -qvxFf "$stamp"; then exit 0; fi

# The packages are all that is used, at fixed versions: vLLM also asks for triton, torchvision and more, which it never
# imports for a text model, so pip is told not to follow what packages ask for.
pip_install() {
  "$dir/bin/python" -m pip --disable-pip-version-check install -q --retries 2 --timeout 60 --no-deps "$@" >>"$log" 2>&1
}
explain() { # what was being installed, status if the index answered
  if grep -Eqi 'NewConnectionError|Connection refused|Name or service not known|Temporary failure in name|timed out|unreachable|Max retries|ProxyError|Connection broken' "$log"; then
    fail 4 "cannot install $1" "the package index cannot be reached ($log)" "try again with a network, or set PIP_INDEX_URL or PIP_FIND_LINKS"
  fi
  tail -n 5 "$log" >&2
  if [ "$2" = 5 ]; then
    fail 5 "cannot install $1" "pip finds no CPU build of torch ($torch), and the one for CUDA is not taken" "let pip find the wheel, for example with PIP_FIND_LINKS=FOLDER"
  fi
  fail "$2" "cannot install $1" "pip failed ($log)" "see there; Python 3.11 to 3.14 on Linux x86-64 is needed"
}

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null ||
  fail 1 "cannot install vLLM" "$python is no Python 3.11 to 3.14" "set PYTHON to one"
mkdir -p "$dir"
: >"$log"
rm -f "$stamp"
[ -x "$dir/bin/python" ] || "$python" -m venv "$dir" >>"$log" 2>&1 ||
  fail 1 "cannot make a Python environment in $dir" "$python -m venv failed ($log)" "install Python's venv module"
"$dir/bin/python" -c "import torch, sys; sys.exit(torch.__version__ != '$torch')" 2>/dev/null ||
  pip_install "torch==$torch" || explain torch 5
pip_install -r "$here/requirements.txt" || explain vLLM 1
if [ -n "${2:-}" ]; then pip_install --no-build-isolation -r "$here/requirements-hf.txt" || explain GPTQModel 1; fi
"$dir/bin/python" -c "import torch, vllm; assert torch.version.cuda is None, torch.__version__" >>"$log" 2>&1 || {
  tail -n 5 "$log" >&2
  fail 1 "cannot use vLLM" "what was installed does not start ($log)" "remove $dir and run this again"
}
wanted "${lists[@]}" >"$stamp"
