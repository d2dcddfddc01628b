cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model shards
rm model/*.safetensors
# The index gives the names, config.json the shapes: the numbers are those of the whole model.
numbers() { lq-inspect "$1" --tensors | grep -e ^parameters -e '\.weight ' | sort; }
diff <(numbers "$LQ_DATA/tiny-llama") <(numbers model)
lq-inspect model
