for seed in 0 1; do "$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag --seed $seed -o out$seed -qq; done
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag --seed 0 -o again -qq
cmp out0/tokens.safetensors again/tokens.safetensors
cmp out0/tokens.safetensors out1/tokens.safetensors
