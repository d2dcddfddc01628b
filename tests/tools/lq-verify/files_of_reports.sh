lq-quant-gguf "$LQ_DATA/tiny-llama" -t Q8_0 -o m.gguf -qq > /dev/null
lq-verify m.gguf -r "$LQ_DATA/tiny-llama" --text builtin --max-windows 1 --continuation 2 --html r.html --junit r.xml -qq
grep -c '<svg' r.html
grep -o '<testsuites name="lq-verify" tests="12" failures="0"' r.xml
