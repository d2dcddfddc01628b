cp -r "$LQ_DATA/tiny-llama" model
python3 - << 'PYTHON'
import json
tokenizer = json.load(open("model/tokenizer.json"))
tokenizer["added_tokens"].append({**tokenizer["added_tokens"][0], "id": 5000, "content": "<more>"})
json.dump(tokenizer, open("model/tokenizer.json", "w"))
PYTHON
echo "Some <more> text." > a.txt
"$LQ_BIN/lq-calibrate" model --data a.txt -o out
