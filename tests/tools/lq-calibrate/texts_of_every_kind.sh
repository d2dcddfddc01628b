printf 'First text, with a line\nand another. Second text, shorter.' > a.txt
printf '["First text, with a line\\nand another.", " Second text, shorter."]' > b.json
printf '{"text": ["First text, with a line\\nand another.", " Second text, shorter."], "other": 1}' > c.json
printf '{"text": "First text, with a line\\nand another."}\n{"text": " Second text, shorter."}\n' > d.jsonl
printf '{"content": "First text, with a line\\nand another.", "text": 5}\n{"content": " Second text, shorter."}\n' > e.jsonl
printf 'First text, with a line\nand another.' > f1.txt
printf ' Second text, shorter.' > f2
run() { "$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --stats diag -qq "$@"; }
numbers() { "$LQ_BIN/lq-inspect" $1 --tensors | sed -n '/^layer/,$p'; }
run --data a.txt -o a
run --data b.json -o b
run --data c.json -o c
run --data d.jsonl -o d
run --data e.jsonl --field content -o e
run --data f1.txt --data f2 -o f
run --data - -o g < a.txt
for made in a b c d e f g; do
  diff <(numbers $made) <(numbers b)
  cmp $made/tokens.safetensors b/tokens.safetensors
  grep '"name": .*\.\|standard' $made/calibration.json
done
