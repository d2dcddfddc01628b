# A path that does not exist is exit 3 with nothing on standard output.
case $LQ_TOOL in
  lq-quant-gguf) set -- -t Q4_K_M ;;
esac
"$LQ_TOOL" "$@" ./no/such/model
