cp -r "$LQ_DATA/tiny-llama" model
python3 "$LQ_DATA/../support/damage.py" model huge
"$LQ_BIN/lq-calibrate" model --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 -qq -o calib > made
"$LQ_BIN/lq-quant-gptq" model --calibration calib -q -o out
