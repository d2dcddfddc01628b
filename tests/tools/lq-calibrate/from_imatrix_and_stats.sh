"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" -o calib --from-imatrix im.gguf --stats diag
