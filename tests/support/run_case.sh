#!/bin/bash
# Runs one case of a tool and compares what it did with what stands beside the script.
#
#   run_case.sh CASE.sh [TOOL]
#
# The script runs in a directory of its own with LQ_BIN (the built tools, first in PATH), LQ_DATA (tests/data) and, for
# the cases of tests/tools/common, LQ_TOOL. Beside CASE.sh may stand
#
#   CASE.exit           its exit status (default 0)
#   CASE.stdout.exact   standard output, byte for byte; CASE.stdout.glob: one shell pattern per line
#   CASE.stderr.exact   the same for standard error;    CASE.stderr.glob
#
# Without a .stdout file standard output is not looked at. Without a .stderr file, a tool that only reports must leave
# standard error empty when the expected status is 0; one that makes something tells its progress there, which is not
# looked at. In all of them @SCRATCH@ stands for the case's directory and @DATA@ for LQ_DATA. "internal error" on
# standard error always fails.
set -u
script=$(realpath "$1")
base=${script%.sh}
export LQ_TOOL=${2:-}
: "${LQ_BIN:?}" "${LQ_DATA:?}"
export LQ_BIN PATH="$LQ_BIN:$PATH" LC_ALL=C
# Nothing of the person who runs the tests may change a result.
for variable in $(compgen -e | grep '^LQ_'); do
  case $variable in LQ_BIN | LQ_DATA | LQ_TOOL) ;; *) unset "$variable" ;; esac
done
unset OMP_NUM_THREADS SLURM_CPUS_PER_TASK TMPDIR CLICOLOR_FORCE

scratch=$(mktemp -d /tmp/lq-case-XXXXXX)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
export XDG_CONFIG_DIRS="$scratch/none" XDG_CONFIG_HOME="$scratch/none" SCRATCH="$scratch/work"
mkdir "$SCRATCH"
# To the tools a variable LQ_DATA would be the option --data: only the script has it.
(cd "$SCRATCH" && exec env -u LQ_DATA bash -c 'LQ_DATA=$1; shift; . "$0"' "$script" "$LQ_DATA") \
  > "$scratch/stdout" 2> "$scratch/stderr" < /dev/null
status=$?

only_reports() {
  [[ -x $LQ_BIN/$LQ_TOOL ]] && ! "$LQ_BIN/$LQ_TOOL" --help | grep -q -e '--output '
}

failures=0
complain() {
  echo "$1"
  failures=1
}
expected=0
[[ -e $base.exit ]] && expected=$(< "$base.exit")
[[ $status == "$expected" ]] || complain "exit status $status instead of $expected"

filled() { sed -e "s|@SCRATCH@|$SCRATCH|g" -e "s|@DATA@|$LQ_DATA|g" "$1"; }
matches_lines() {
  local -a wanted got
  mapfile -t wanted < <(filled "$1")
  mapfile -t got < "$2"
  [[ ${#wanted[@]} == "${#got[@]}" ]] || return 1
  local i
  for i in "${!wanted[@]}"; do
    # shellcheck disable=SC2053  # a pattern on purpose
    [[ ${got[i]} == ${wanted[i]} ]] || return 1
  done
}
for stream in stdout stderr; do
  if [[ -e $base.$stream.exact ]]; then
    filled "$base.$stream.exact" | cmp -s - "$scratch/$stream" ||
      complain "$stream is not $(basename "$base").$stream.exact"
  elif [[ -e $base.$stream.glob ]]; then
    matches_lines "$base.$stream.glob" "$scratch/$stream" ||
      complain "$stream does not match $(basename "$base").$stream.glob"
  elif [[ $stream == stderr && $expected == 0 && -s $scratch/stderr ]] && only_reports; then
    complain "something is on stderr"
  fi
done
if grep -q 'internal error' "$scratch/stderr"; then complain "internal error"; fi
if [[ $failures != 0 ]]; then
  echo "--- stdout"
  cat "$scratch/stdout"
  echo "--- stderr"
  cat "$scratch/stderr"
fi
exit "$failures"
