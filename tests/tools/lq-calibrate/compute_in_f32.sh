"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag --compute f32 -o out -qq
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag -o bf16 -qq
grep compute out/calibration.json
cmp -s out/layer-000.safetensors.zst bf16/layer-000.safetensors.zst
