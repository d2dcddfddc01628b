#!/usr/bin/env bash
# A file over loopback, TLS off: lq-fetch (hashing included) against curl to a file plus sync of that file, in turns;
# medians, their ratio, and peak memory. The server is that of the tests.
#   fetch.sh [ROUNDS] [MIB]     default 5 rounds of 2048 MiB
. "$(dirname "$0")/common.sh"
rounds=${1:-5} mib=${2:-2048}
commit=1111111111111111111111111111111111111111
root=$work/hub
rm -rf "$root" "$work"/fetched*
mkdir -p "$root/org/model/files"
echo "{\"commits\":{\"$commit\":\"files\"}}" >"$root/org/model/repo.json"
echo '{"model_type":"llama"}' >"$root/org/model/files/config.json"
head -c "${mib}M" /dev/urandom >"$root/org/model/files/model.safetensors"

coproc hub { exec python3 -B tests/support/hub/hub_server.py "$root"; }
trap 'kill $hub_PID 2>/dev/null; rm -rf "$root" "$work"/fetched*' EXIT
read -r hello <&"${hub[0]}"
endpoint=$(sed -n 's/.*"hub": "\([^"]*\)".*/\1/p' <<<"$hello")
export HF_ENDPOINT=$endpoint HF_HOME=$work/fetched-home
curl -s "$endpoint/api/models/org/model/tree/$commit" >/dev/null # the server hashes its files once

curl_wall=() lq_wall=() lq_cpu=() lq_rss=()
for ((round = 0; round < rounds; round++)); do
  rm -rf "$work"/fetched*
  measure bash -c "curl -sfL '$endpoint/org/model/resolve/$commit/model.safetensors' -o '$work/fetched' && sync '$work/fetched'"
  curl_wall+=("$wall")
  rm -rf "$work"/fetched*
  measure "$bin/lq-fetch" org/model -q -o "$work/fetched-dir"
  lq_wall+=("$wall") lq_cpu+=("$cpu") lq_rss+=("$rss")
done
a=$(median "${curl_wall[@]}") b=$(median "${lq_wall[@]}")
printf '%-22s %8s %8s %10s\n' "$mib MiB, median of $rounds" "wall s" "cpu s" "peak MiB"
printf '%-22s %8s\n' "curl and sync" "$a"
printf '%-22s %8s %8s %10s\n' lq-fetch "$b" "$(median "${lq_cpu[@]}")" "$(median "${lq_rss[@]}")"
printf 'lq-fetch has %s of the rate of curl and sync\n' "$(ratio "$a" "$b")"
