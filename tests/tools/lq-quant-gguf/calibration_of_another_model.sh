"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 --stats diag -o calib -qq --imatrix im.gguf > made
cp -r "$LQ_DATA/tiny-llama" model
sed -i s/1e-05/1e-06/ model/config.json
"$LQ_BIN/lq-quant-gguf" model -t Q4_K_M --calibration calib -o out.gguf
