# The completion scripts offer every long option of --help.
set -e
"$LQ_TOOL" --help | sed '/^Examples:$/,$d' | grep -oE '^ +(-., )?--[a-z0-9-]+' | sed 's/.*--//' > options
test "$(wc -l < options)" -gt 10
for shell in bash zsh fish; do
  "$LQ_TOOL" --completion $shell > script
  spelling=--
  if [[ $shell == fish ]]; then spelling='-l '; fi
  for option in $(cat options); do
    grep -qE -- "$spelling$option([^a-z0-9-]|\$)" script || { echo "$shell: --$option"; exit 1; }
  done
  if command -v $shell > /dev/null; then $shell -n script; fi
done
