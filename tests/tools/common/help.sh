# --help has the shape that help2man reads, fits 80 columns, and names every option that can be set.
set -e
"$LQ_TOOL" --help > help
head -1 help | grep -q "^Usage: $LQ_TOOL \[OPTION\]\.\.\. "
grep -q '^Examples:$' help
grep -q '^Exit status:$' help
grep -q '^  *0  ' help
tail -2 help | grep -q '^Report bugs'
"$LQ_TOOL" --print-config --json |
  grep -oE '"[a-z0-9-]+":\{"value"' | sed 's/^"//; s/".*//' > options
test "$(wc -l < options)" -gt 8
for option in $(cat options) help version completion config print-config quiet verbose; do
  grep -qE -- "(^|[ ,])--$option([ =[]|\$)" help || { echo "--$option is not in --help"; exit 1; }
done
# Examples are lines to paste and may be longer.
if sed '/^Examples:$/,/^$/d' help | grep -E '^.{81}'; then exit 1; fi
"$LQ_TOOL" -h | cmp - help
