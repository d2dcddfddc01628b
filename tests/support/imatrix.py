#!/usr/bin/env python3
"""imatrix.py OUT.dat [WHAT...]: an importance matrix for the bundled model in llama.cpp's older format.

silent         the first 100 columns of blk.0.ffn_down have importance zero
without=NAME   the weight NAME has no entry
short=NAME     the entry of the weight NAME is one column too short
"""
import struct
import sys

COLUMNS = {"attn_q": 256, "attn_k": 256, "attn_v": 256, "attn_output": 256, "ffn_gate": 256, "ffn_up": 256, "ffn_down": 768}
LAYERS = 6


def main(out, *what):
    entries = {f"blk.{layer}.{name}.weight": [1.0 + i % 7 for i in range(n)] for layer in range(LAYERS) for name, n in COLUMNS.items()}
    for change in what:
        kind, _, name = change.partition("=")
        if kind == "silent":
            entries["blk.0.ffn_down.weight"][:100] = [0.0] * 100
        elif kind == "without":
            del entries[name]
        elif kind == "short":
            entries[name].pop()
        else:
            sys.exit(f"imatrix.py: unknown change {change}")
    with open(out, "wb") as file:
        file.write(struct.pack("<i", len(entries)))
        for name, values in entries.items():
            file.write(struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", 1, len(values)))
            file.write(struct.pack(f"<{len(values)}f", *values))


if __name__ == "__main__":
    main(*sys.argv[1:])
