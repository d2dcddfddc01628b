cp -r "$LQ_DATA/tiny-llama" model
echo one > model/LICENSE
"$LQ_BIN/lq-quant-gptq" model --data-free -qq -o out > made
echo two > model/LICENSE
"$LQ_BIN/lq-quant-gptq" model --data-free -o out --progress never 2>&1 > again | grep -E 'rebuilding|date'
cat out/LICENSE
