"$LQ_BIN/lq-calibrate" "$LQ_DATA/tiny-llama" --data "$LQ_DATA/tiny-llama-golden/calibration.json" --samples 4 --seq-len 256 --stats diag -o calib -qq --imatrix im.gguf > made
types=Q4_K_M,Q2_K_S,Q3_K_L,Q5_0,Q6_K
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t $types --calibration calib --no-solve -o '{type}-a.gguf' -qq
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t $types --imatrix im.gguf -o '{type}-b.gguf' -qq > made
for type in ${types//,/ }; do cmp $type-a.gguf $type-b.gguf; done
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M -o plain.gguf -qq > made
cmp -s plain.gguf Q4_K_M-a.gguf && echo "without effect"
grep -ao 'quantize\.imatrix\.[a-z_]*' Q4_K_M-a.gguf
