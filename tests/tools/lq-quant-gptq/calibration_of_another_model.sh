"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 -qq -o calib > made
cp -r "$LQ_DATA/tiny-llama" model
sed -i s/1e-05/1e-06/ model/config.json
"$LQ_BIN/lq-quant-gptq" model --calibration calib -o out
