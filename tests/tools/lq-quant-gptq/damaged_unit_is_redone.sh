"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 -qq -o calib > made
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib -qq --shard 1/2 -o out
printf damage | dd of=out.lq-part/model.safetensors bs=1 seek=3000000 conv=notrunc status=none
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib -q -o out
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib -qq -o whole
cmp whole/model.safetensors out/model.safetensors
