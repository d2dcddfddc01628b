"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 -qq -o calib > made
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib -qq -o whole
for k in 1 2; do "$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib -qq --shard $k/2 -o parts; done
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib -qq -o parts
cmp whole/model.safetensors parts/model.safetensors
cmp whole/README.md parts/README.md
