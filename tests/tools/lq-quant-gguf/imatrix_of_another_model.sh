python3 "$LQ_DATA/../support/imatrix.py" im.dat short=blk.0.attn_q.weight short=blk.5.ffn_up.weight without=blk.1.attn_k.weight
"$LQ_BIN/lq-quant-gguf" "$LQ_DATA/tiny-llama" -t Q4_K_M --imatrix im.dat -o out.gguf
