#!/usr/bin/env bash
# What quantization costs on the bundled model: mean KL divergence from the F32 file over eval.txt, ours beside
# llama.cpp's own file of the same type, without and with an importance matrix. Writes bench/results/quality.csv.
. "$(dirname "$0")/common.sh"
need_peer
data=tests/data
model=$data/tiny-llama
out=$work/quality
rm -rf "$out"
mkdir -p "$out" bench/results
types=(F16 BF16 Q8_0 Q6_K Q5_K_M Q5_K_S Q5_1 Q5_0 Q4_K_M Q4_K_S Q4_1 Q4_0 Q3_K_L Q3_K_M Q3_K_S Q2_K)

f32=$out/f32.gguf
"$bin/lq-quant-gguf" "$model" -q -t F32 -o "$f32" >/dev/null
"$LLAMA_PEER" tokenize "$f32" --texts $data/tiny-llama-golden/calibration.json --bos >"$out/calibration.json"
"$LLAMA_PEER" imatrix "$f32" "$out/calibration.json" "$out/importance.gguf" >/dev/null
# Pieces of 255 tokens, begin-of-text (2046) in front of each.
"$LLAMA_PEER" tokenize "$f32" --file $data/tiny-llama-golden/eval.txt | tr -d '[] \n' | tr ',' '\n' |
  awk 'BEGIN { printf "[" } { if ((NR - 1) % 255 == 0) printf "%s[2046", (NR > 1 ? "]," : ""); printf ",%s", $1 } END { print "]]" }' >"$out/eval.json"

field() { sed -n 's/.*[{,]"'"$1"'":\([-0-9.e]*\).*/\1/p'; }
csv=bench/results/quality.csv
echo "type,importance,bytes,mean_kld,peer_mean_kld,ratio,ppl,peer_ppl" >"$csv"
printf '%-8s %-10s %10s %12s %12s %7s %9s %9s\n' type importance bytes "KL ours" "KL peer" ratio "ppl ours" "ppl peer"
for importance in none "$out/importance.gguf"; do
  weighed=() label=no
  [ "$importance" = none ] || { weighed=(--imatrix "$importance") label=yes types+=(Q2_K_S); }
  for type in "${types[@]}"; do
    ours=$out/ours-$type-$label.gguf peer=$out/peer-$type-$label.gguf
    "$bin/lq-quant-gguf" "$model" -q -t "$type" -o "$ours" ${weighed[@]+"${weighed[@]}"} >/dev/null 2>&1
    "$LLAMA_PEER" quantize "$f32" "$peer" "$type" "$importance" >/dev/null
    result=$("$LLAMA_PEER" kld "$f32" "$ours" "$peer" "$out/eval.json" --threads 1)
    a=$(sed -n 1p <<<"$result" | field mean_kld) b=$(sed -n 2p <<<"$result" | field mean_kld)
    p=$(sed -n 1p <<<"$result" | field ppl) q=$(sed -n 2p <<<"$result" | field ppl)
    r=$(awk "BEGIN { if ($b > 1e-6) printf \"%.3f\", $a / $b; else print \"equal\" }")
    printf '%-8s %-10s %10s %12s %12s %7s %9s %9s\n' "$type" "$label" "$(stat -c %s "$ours")" "$a" "$b" "$r" "$p" "$q"
    echo "$type,$label,$(stat -c %s "$ours"),$a,$b,$r,$p,$q" >>"$csv"
  done
done
rm -rf "$out"
