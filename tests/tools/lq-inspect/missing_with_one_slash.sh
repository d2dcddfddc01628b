HF_HUB_OFFLINE=1 "$LQ_BIN/lq-inspect" org/no-such-model
