# --print-config tells every value with its source, and --config reads it back.
set -e
mkdir -p home/lq
printf 'common:\n  memory: 2G\n  threads: 5\n%s:\n  verbosity: quiet\n' "$LQ_TOOL" > home/lq/config.yaml
export XDG_CONFIG_HOME=$PWD/home LQ_THREADS=7
"$LQ_TOOL" --print-config --log-format json > config
grep -qE "^  memory: 2147483648 +# $PWD/home/lq/config.yaml:2\$" config
grep -qE '^  threads: 7 +# LQ_THREADS$' config
grep -qE "^  verbosity: quiet +# $PWD/home/lq/config.yaml:5\$" config
grep -qE '^  log-format: json +# command line$' config
grep -qE '^  progress: auto +# built-in$' config
LQ_THREADS='' XDG_CONFIG_HOME=/nonexistent "$LQ_TOOL" --config config --print-config > again
diff <(sed 's/ *#.*//' config) <(sed 's/ *#.*//' again)
