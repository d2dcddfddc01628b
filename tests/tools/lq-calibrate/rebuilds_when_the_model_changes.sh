cp -r "$LQ_DATA/tiny-llama" model
"$LQ_BIN/lq-calibrate" model --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 1 --seq-len 32 --stats diag -o out -qq > made
sed -i s/1e-05/1e-06/ model/config.json
"$LQ_BIN/lq-calibrate" model --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 1 --seq-len 32 --stats diag -o out
