#!/usr/bin/env bash
# Builds release and asan and runs their tests; the last words are CTest's summary of the release run.
#   --full   also: thread sanitizer on the threaded parts, the scalar kernels, each header alone, formatting, line
#            coverage of common/, and the tests labelled `long`, under the address sanitizer
# Leaves only ignored files (build/). Run again, it builds only what changed.
set -euo pipefail
cd "$(dirname "$0")/.."

full=
case ${1:-} in
  "") ;;
  --full) full=full ;;
  *) printf 'run.sh: error: unknown argument %s\n  why: tests/run.sh takes --full or nothing\n  fix: bash tests/run.sh [--full]\n' "$1" >&2; exit 2 ;;
esac

coverage_goal=97 # percent of the lines of common/
failures=()
step() { printf '\n== %s\n' "$*"; }
check() { # name, command...
  local name=$1
  shift
  step "$name"
  "$@" || failures+=("$name")
}
build() { # preset, target...
  [ -f "build/$1/build.ninja" ] || cmake --preset "$1" >"build/$1.log" || { cat "build/$1.log"; return 1; }
  cmake --build --preset "$1" ${2+--target "${@:2}"}
}
run_tests() { # preset, ctest arguments...
  # Twice as many as processors: many tests wait, for a server's next answer or for a moment to kill.
  local ctest=(ctest --preset "$1" --no-tests=error -j "$((2 * $(nproc)))" --progress "${@:2}")
  if [ -t 1 ]; then
    "${ctest[@]}"
  else # a log: what failed, and the summary
    "${ctest[@]}" | sed -E '/^ *(Start +[0-9]+: |[0-9]+\/[0-9]+ Test +#[0-9]+: .* Passed )/d'
  fi
}

step "packages"
bash pipelines/setup.sh "--${full:-tests}"
mkdir -p build
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
export UBSAN_OPTIONS=print_stacktrace=1
export OMP_WAIT_POLICY=passive # several programs share the processors: threads that wait for work must not spin

step "build release"
build release
step "peers"
bash tests/peers/setup.sh
. build/peers/env.sh
step "build asan"
build asan

if [ -n "$full" ]; then
  check "formatting" cmake --build --preset release --target format-check
  check "each header alone" cmake --build --preset release --target headers
  check "kernels by their scalar reference" env LQ_SIMD=scalar ctest --preset release -R '^(kernels|codec)\.' -LE peer -j "$(nproc)"
  build tsan test_stage test_parallel
  check "thread sanitizer" run_tests tsan -R '^(stage|parallel)\.'
  build coverage
  find build/coverage -name '*.gcda' -delete
  check "tests for coverage" run_tests coverage -L '^(unit|conformance|cli)$'
  check "line coverage of common" gcovr --root . --filter common/ --object-directory build/coverage \
    --gcov-ignore-parse-errors --exclude-throw-branches --print-summary --output build/coverage/report.txt --fail-under-line "$coverage_goal"
fi
check "asan" run_tests asan -L "^(unit|conformance|cli${full:+|long})\$"
[ ${#failures[@]} -eq 0 ] || printf '\nFAILED before the release run: %s\n' "${failures[*]}"
check "release" run_tests release -L '^(unit|cli|conformance|peer)$'
[ ${#failures[@]} -eq 0 ]
