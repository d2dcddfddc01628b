# Qwen has a window only where it is switched on, and from a layer on.
cp -r "$LQ_DATA/tiny-llama" model
for keys in '{"use_sliding_window": false}' '{"use_sliding_window": true}' \
            '{"use_sliding_window": true, "max_window_layers": 0}'; do
  python3 - "$keys" <<'PY'
import json, sys
config = json.load(open("model/config.json"))
config.update(architectures=["Qwen2ForCausalLM"], model_type="qwen2", sliding_window=128, max_window_layers=4)
config.update(json.loads(sys.argv[1]))
json.dump(config, open("model/config.json", "w"))
PY
  echo "$keys"
  lq-inspect model | grep -A 1 window || echo none
done
