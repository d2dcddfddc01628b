"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 -qq -o calib > made
python3 "$LQ_DATA/../support/unsolvable.py" calib 3 mlp_down
"$LQ_BIN/lq-quant-gptq" "$LQ_DATA/tiny-llama" --calibration calib --strict -q -o out
code=$?
ls -d out*
exit $code
