"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 --compute f32 -o calib -qq > made
sed -i 's|lq-calibration/1|lq-calibration/2|' calib/calibration.json
"$LQ_BIN/lq-inspect" calib
