# --log-file receives JSON lines from the start of the run to its end, whatever the verbosity.
model=./no/such/model
case $LQ_TOOL in
  lq-fetch) model=no/such-model HF_HUB_OFFLINE=1 HF_HOME=$PWD/home && export HF_HUB_OFFLINE HF_HOME ;;
  lq-quant-gguf) set -- -t Q4_K_M ;;
esac
"$LQ_TOOL" -qq --log-file log "$@" "$model"
test $? = 3 || exit 1
head -1 log | grep -q '"ev":"run.start".*"argv":\["' || exit 2
grep -q '"lvl":"error".*"ev":"error","code":3' log || exit 3
tail -1 log | grep -q '"ev":"run.end","code":3' || exit 4
