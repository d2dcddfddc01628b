# A directory and the file made from it say the same of every hyperparameter, rope scaling included.
cp -r "$LQ_DATA/tiny-llama" model
python3 - <<'PY'
import json
config = json.load(open("model/config.json"))
config["rope_scaling"] = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128}
json.dump(config, open("model/config.json", "w"))
PY
lq-quant-gguf model -t F32 -o model.gguf -q > made
lq-inspect model --diff model.gguf
lq-inspect model.gguf | grep ^rope
