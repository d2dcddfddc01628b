"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 --stats diag -o calib -qq --imatrix im.gguf > made
truncate -s 1000 calib/layer-002.safetensors.zst
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M --calibration calib -o out.gguf
code=$?
ls
exit $code
