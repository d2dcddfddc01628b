"$LQ_BIN/lq-inspect" "$LQ_DATA/tiny-llama" --estimate AWQ,gptq-8bit-g64,GPTQ-4bit-g-1 --json |
  python3 -c 'import json, sys; [print(row["type"], row["bytes"]) for row in json.load(sys.stdin)["estimate"]]'
