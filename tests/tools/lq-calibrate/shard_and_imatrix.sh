"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" -o calib --shard 1/2 --imatrix im.gguf
