cp -r "$LQ_DATA/tiny-llama" model
"$LQ_BIN/lq-calibrate" model --samples 1 -o model/calib -qq
