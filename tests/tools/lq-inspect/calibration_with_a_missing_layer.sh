"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 --compute f32 -o calib -qq > made
rm calib/layer-002.safetensors.zst
"$LQ_BIN/lq-inspect" calib --tensors
