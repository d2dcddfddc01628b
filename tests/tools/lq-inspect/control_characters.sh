# Keys and values of a file are shown, never sent to the terminal; nor must they be UTF-8.
python3 - <<'PY'
import struct
def text(raw):
    return struct.pack("<Q", len(raw)) + raw
def gguf(tags):
    string, array, u32 = 8, 9, 4
    return (b"GGUF" + struct.pack("<IQQ", 3, 0, 3) + text(b"tokenizer.ggml.model") + struct.pack("<I", string) +
            text(b"gpt2") + text(b"tokenizer.ggml.a\x1b[31m_token_id") + struct.pack("<II", u32, 7) +
            text(b"general.tags") + struct.pack("<IIQ", array, string, 1) + text(tags) + bytes(32))
open("a.gguf", "wb").write(gguf(b"\xff\x1b"))
open("b.gguf", "wb").write(gguf(b"plain"))
PY
lq-inspect a.gguf | grep ^tokenizer
lq-inspect a.gguf --diff b.gguf
