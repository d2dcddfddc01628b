"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 -qq -o calib > made
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib -qq -o out >> made
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 3 --seq-len 256 --force -qq -o calib > made
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib -o out --progress never
