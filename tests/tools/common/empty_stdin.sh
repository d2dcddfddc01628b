# An empty stream for "-" means that the stage before failed.
case $LQ_TOOL in
  lq-quant-gguf) set -- -t Q4_K_M ;;
esac
: | "$LQ_TOOL" "$@" -
