"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 8 --seq-len 256 -qq -o calib > made
"$LQ_BIN/lq-quant-awq" "$LQ_DATA/tiny-llama" --calibration calib --effort fast --scale grid --skip 'layers\.0\.self_attn\.(q|k|v)_proj' -qq -o out
sed -n '/modules_to_not_convert/,/]/p' out/config.json
