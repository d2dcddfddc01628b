# A path that does not exist is exit 3 with nothing on standard output.
model=./no/such/model
case $LQ_TOOL in
  lq-fetch) model=no/such-model HF_HUB_OFFLINE=1 HF_HOME=$PWD/home && export HF_HUB_OFFLINE HF_HOME ;;
  lq-quant-gguf) set -- -t Q4_K_M ;;
esac
"$LQ_TOOL" "$@" "$model"
