# Sizes whose products or sums pass 64 bits: in config.json, and in headers without data.
DATA=$LQ_DATA python3 - <<'PY'
import json, os, struct
data = os.environ["DATA"] + "/tiny-llama/config.json"
config = json.load(open(data))
os.makedirs("config")
for key in ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads"):
    config[key] = 2147483647
config["head_dim"] = 2147483646
json.dump(config, open("config/config.json", "w"))
os.makedirs("headers")
json.dump(json.load(open(data)), open("headers/config.json", "w"))
files = [f"model-0000{i}-of-00005.safetensors" for i in range(1, 6)]
for i, name in enumerate(files):
    header = json.dumps({f"t{i}": {"dtype": "U8", "shape": [2**60], "data_offsets": [0, 2**60]}}).encode()
    open("headers/" + name, "wb").write(struct.pack("<Q", len(header)) + header)
index = {"weight_map": {f"t{i}": name for i, name in enumerate(files)}}
json.dump(index, open("headers/model.safetensors.index.json", "w"))
PY
lq-inspect config
echo "exit $?" >&2
lq-inspect headers
