"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag -o out -qq --imatrix im.gguf > made
cp im.gguf first.gguf
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag --seed 5 -o other -qq --imatrix im.gguf > made
cmp -s im.gguf first.gguf && echo "the same?"
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag -o out -qq --imatrix im.gguf
cmp im.gguf first.gguf
