"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 -qq -o calib > made
truncate -s 100 calib/calibration.json
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib -q -o out
