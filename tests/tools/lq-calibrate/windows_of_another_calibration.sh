"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag -o out -qq
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --tokens out/tokens.safetensors --stats diag -o again -qq
python3 - > ids.json << 'PYTHON'
import json, struct
raw = open("out/tokens.safetensors", "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
header, data = json.loads(raw[8:8 + n]), raw[8 + n:]
ids = struct.unpack("<256i", data[slice(*header["ids"]["data_offsets"])])
offsets = struct.unpack("<5q", data[slice(*header["offsets"]["data_offsets"])])
print([list(ids[a:b]) for a, b in zip(offsets, offsets[1:])])
PYTHON
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --tokens ids.json --stats diag -o listed -qq
numbers() { "$LQ_BIN/lq-inspect" $1 --tensors | sed -n '/^layer/,$p'; }
for made in again listed; do
  cmp out/tokens.safetensors $made/tokens.safetensors
  diff <(numbers out) <(numbers $made)
done
