#!/usr/bin/env bash
# Installs the Debian packages that building needs; with --tests also what the tests and their peers need, with
# --full what `tests/run.sh --full` needs on top. Does nothing, quickly, when all is there. This is the only list.
set -euo pipefail

# ocl-icd-opencl-dev: the CMake package of libdnnl-dev looks for it.
build_packages=(
  g++ cmake ninja-build
  libfmt-dev libspdlog-dev nlohmann-json3-dev libyaml-cpp-dev libhwy-dev libdnnl-dev ocl-icd-opencl-dev libopenblas-openmp-dev liblapacke-dev libssl-dev libcurl4-openssl-dev libxxhash-dev libzstd-dev
  libpcre2-dev libutf8proc-dev pkg-config
  libgtest-dev libbenchmark-dev
)
test_packages=(make python3 python3-venv time)
full_packages=(clang-format-14 gcovr)

fail() { # what, why, fix
  printf 'setup.sh: error: %s\n  why: %s\n  fix: %s\n' "$1" "$2" "$3" >&2
  exit 1
}

packages=("${build_packages[@]}")
for argument in "$@"; do
  case $argument in
    --tests) packages+=("${test_packages[@]}") ;;
    --full) packages+=("${test_packages[@]}" "${full_packages[@]}") ;;
    *) fail "unknown argument $argument" "setup.sh takes --tests and --full" "bash pipelines/setup.sh [--tests|--full]" ;;
  esac
done
# Node.js is often there from another source than Debian, so the command counts, not the package.
if [ $# -gt 0 ] && ! { command -v node && command -v npm; } >/dev/null; then
  packages+=(nodejs npm)
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || true
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || fail "cannot install ${missing[*]}" \
  "this system has no apt-get" "install what these Debian packages hold with your system's own package manager"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || fail "cannot install ${missing[*]}" \
    "this user is not root and there is no sudo" "as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi

echo "installing: ${missing[*]}" >&2
apt() { ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >&2; }
apt update || fail "cannot read the package lists" "apt-get update failed, see above" "check the network and /etc/apt/sources.list"
apt install -y --no-install-recommends "${missing[@]}" || fail "cannot install ${missing[*]}" \
  "apt-get install failed, see above" "apt-get install ${missing[*]}"
