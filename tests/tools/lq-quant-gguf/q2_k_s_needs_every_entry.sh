python3 "$LQ_DATA/../support/imatrix.py" im.dat without=blk.2.attn_k.weight without=blk.3.ffn_up.weight
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q2_K_S --imatrix im.dat -o out.gguf
