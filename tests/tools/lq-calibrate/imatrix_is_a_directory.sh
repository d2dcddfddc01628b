mkdir im.gguf
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" -o calib --samples 1 --stats diag -qq --imatrix im.gguf --force
