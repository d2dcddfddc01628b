#!/usr/bin/env python3
"""damage.py MODEL_DIR WHAT: damages a copy of the bundled model in one way, for the tests of error messages.

nan            the last weight of blk 3's down projection becomes NaN
infinite       the same weight becomes infinite
huge           one weight becomes 1e30, beyond what float16 holds
huge-norm      one value of the last norm becomes 1e30
truncate       the file loses its last 100 bytes
long-header    the header claims to be longer than the file
overlap        two tensors share bytes
shards         the model is cut into two shards with an index, the second one missing
bad-config     config.json ends in the middle
no-output      the output matrix is removed, and nothing says that the embeddings stand for it
tied-output    the configuration says that the embeddings stand for the output matrix, which is there
no-tokenizer   tokenizer.json and its companions are removed
gemma          the architecture is one that is not converted
sliding        the model attends to the last 128 tokens only
extra          the header has a key that the format does not know, and a tensor that no Llama has
draft          there is a head that drafts tokens, two tensors that no Llama has
"""
import json
import os
import struct
import sys


def load(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack_from("<Q", data)
    return data, length, json.loads(data[8 : 8 + length])


def store(path, header, body):
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head + body)


def poke_last(directory, bits, tensor="model.layers.3.mlp.down_proj.weight"):
    path = os.path.join(directory, "model.safetensors")
    data, length, header = load(path)
    end = header[tensor]["data_offsets"][1]
    struct.pack_into("<H", data, 8 + length + end - 2, bits)
    with open(path, "wb") as file:
        file.write(data)


def overlap(directory):
    path = os.path.join(directory, "model.safetensors")
    data, length, header = load(path)
    first, second = sorted((k for k in header if k != "__metadata__"), key=lambda k: header[k]["data_offsets"])[:2]
    begin, end = header[second]["data_offsets"]
    header[second]["data_offsets"] = [begin - 16, end - 16]
    store(path, header, data[8 + length :])


def shards(directory):
    path = os.path.join(directory, "model.safetensors")
    data, length, header = load(path)
    names = [k for k in header if k != "__metadata__"]
    index = {"metadata": {}, "weight_map": {k: f"model-0000{1 + (i % 2)}-of-00002.safetensors" for i, k in enumerate(names)}}
    body, part = b"", {}
    for name in names[::2]:
        begin, end = header[name]["data_offsets"]
        part[name] = dict(header[name], data_offsets=[len(body), len(body) + end - begin])
        body += bytes(data[8 + length + begin : 8 + length + end])
    store(os.path.join(directory, "model-00001-of-00002.safetensors"), part, body)
    with open(os.path.join(directory, "model.safetensors.index.json"), "w", encoding="utf-8") as file:
        json.dump(index, file)
    os.remove(path)


def no_output(directory):
    path = os.path.join(directory, "model.safetensors")
    data, length, header = load(path)
    body, kept = b"", {}
    for name, tensor in header.items():
        if name == "lm_head.weight":
            continue
        kept[name] = tensor
        if name != "__metadata__":
            begin, end = tensor["data_offsets"]
            kept[name] = dict(tensor, data_offsets=[len(body), len(body) + end - begin])
            body += bytes(data[8 + length + begin : 8 + length + end])
    store(path, kept, body)


def extra(directory):
    path = os.path.join(directory, "model.safetensors")
    data, length, header = load(path)
    body = data[8 + length :]
    header["visual.patch.weight"] = {"dtype": "BF16", "shape": [2, 2], "data_offsets": [len(body), len(body) + 8], "note": 1}
    store(path, header, body + bytes(8))


def draft(directory):
    path = os.path.join(directory, "model.safetensors")
    data, length, header = load(path)
    body = bytes(data[8 + length :])
    for name, shape in (("mtp.fc.weight", [32, 64]), ("mtp.norm.weight", [32])):
        size = 2 * shape[0] * (shape[1:] or [1])[0]
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [len(body), len(body) + size]}
        body += struct.pack("<H", 0x3F80) * (size // 2)
    store(path, header, body)


def edit_config(directory, change):
    path = os.path.join(directory, "config.json")
    with open(path, encoding="utf-8") as file:
        text = change(file.read())
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    directory, what = sys.argv[1:]
    weights = os.path.join(directory, "model.safetensors")
    if what == "nan":
        poke_last(directory, 0x7FC0)
    elif what == "infinite":
        poke_last(directory, 0x7F80)
    elif what == "huge":
        poke_last(directory, 0x7149)
    elif what == "huge-norm":
        poke_last(directory, 0x7149, "model.norm.weight")
    elif what == "truncate":
        os.truncate(weights, os.path.getsize(weights) - 100)
    elif what == "long-header":
        with open(weights, "r+b") as file:
            file.write(struct.pack("<Q", 90_000_000))
    elif what == "overlap":
        overlap(directory)
    elif what == "shards":
        shards(directory)
    elif what == "bad-config":
        edit_config(directory, lambda text: text[: len(text) // 2])
    elif what == "tied-output":
        edit_config(directory, lambda text: text.replace('"tie_word_embeddings": false', '"tie_word_embeddings": true'))
    elif what == "no-output":
        no_output(directory)
    elif what == "no-tokenizer":
        for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
            os.remove(os.path.join(directory, name))
    elif what == "gemma":
        edit_config(directory, lambda text: text.replace("LlamaForCausalLM", "Gemma9ForCausalLM"))
    elif what == "sliding":
        edit_config(directory, lambda text: text.replace("{", '{"sliding_window": 128,', 1).replace("llama", "mistral").replace("LlamaForCausalLM", "MistralForCausalLM"))
    elif what == "extra":
        extra(directory)
    elif what == "draft":
        draft(directory)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
