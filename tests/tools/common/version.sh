# --version: tool and version first, details on request.
set -e
"$LQ_TOOL" --version > version
head -1 version | grep -qE "^$LQ_TOOL \(lq\) [0-9]+\.[0-9]+\.[0-9]+\$"
"$LQ_TOOL" -V -v > details
head -1 details | cmp - <(head -1 version)
for part in compiler: 'instruction sets:' libraries:; do grep -q "^$part" details; done
