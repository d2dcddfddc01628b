mkdir here && cd here
"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 64 --stats diag -q --samples 1 2> /dev/null
