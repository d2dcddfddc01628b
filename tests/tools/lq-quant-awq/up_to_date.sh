"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 8 --seq-len 256 -qq -o calib > made
"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --calibration calib --scale none --effort fast -qq -o out
"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --calibration calib --scale none --effort fast -o out --progress never 2>&1 >again | grep date
cat again
