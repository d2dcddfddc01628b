"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 8 --seq-len 256 -qq -o calib > made
"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --calibration calib --effort fast --scale auto --round nearest -qq -o out
grep -c '"method": "solved"' out/lq-manifest.json
