#!/usr/bin/env python3
"""Write a small Hugging Face model as an unquantized GGUF file, for llama.cpp to quantize and to evaluate.

Only what the peer tests and benches need: Llama, Mistral, Qwen2 and Qwen3 with a byte-level BPE tokenizer. It shares
no code with lq-quant-gguf, so that the two can be compared.
"""
import argparse
import json
import math
import re
import sys
from pathlib import Path

import gguf
import numpy as np

ARCHITECTURES = {
    "LlamaForCausalLM": "llama",
    "MistralForCausalLM": "llama",
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
}
TOP_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
BLOCK_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
TOKEN_NORMAL, TOKEN_CONTROL, TOKEN_USER_DEFINED, TOKEN_UNUSED = 1, 3, 4, 5


def read_tensors(folder):
    """Yields (name, float32 or BF16-as-float32 array) of every safetensors file."""
    for path in sorted(folder.glob("*.safetensors")):
        raw = np.memmap(path, dtype=np.uint8, mode="r")
        header_size = int(raw[:8].view("<u8")[0])
        header = json.loads(raw[8 : 8 + header_size].tobytes())
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = (8 + header_size + offset for offset in entry["data_offsets"])
            yield name, entry["dtype"], entry["shape"], raw[begin:end]


def to_f32(dtype, shape, raw):
    if dtype == "BF16":
        return (raw.view("<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    return raw.view({"F16": "<f2", "F32": "<f4"}[dtype]).astype("<f4").reshape(shape)


def to_bf16_bytes(values):
    bits = np.ascontiguousarray(values).view("<u4").astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").view(np.uint8)


def interleave_halves(rows, heads):
    """Rows of a head from two halves to adjacent rotation pairs."""
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def gguf_name(name):
    stem, _, kind = name.rpartition(".")
    if stem in TOP_NAMES:
        return f"{TOP_NAMES[stem]}.{kind}"
    match = re.fullmatch(r"model\.layers\.(\d+)\.(.+)", stem)
    if match and match[2] in BLOCK_NAMES:
        return f"blk.{match[1]}.{BLOCK_NAMES[match[2]]}.{kind}"
    return None


def pre_tokenizer_name(tokenizer):
    """llama.cpp's name of the splitting rule, told apart by marks of its regular expression."""
    outer = tokenizer.get("pre_tokenizer") or {}
    parts = outer.get("pretokenizers", [outer])
    patterns = [p["pattern"].get("Regex", "") for p in parts if p["type"] == "Split"]
    if not patterns:
        digits = any(p["type"] == "Digits" and p.get("individual_digits") for p in parts)
        return "starcoder" if digits else "gpt-2"
    pattern = " ".join(patterns)
    if r"\p{Lu}" in pattern:
        return "tekken"
    return "llama-bpe" if r"\p{N}{1,3}" in pattern else "qwen2"


def add_tokenizer(writer, folder, config):
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer_config = {}
    if (folder / "tokenizer_config.json").exists():
        tokenizer_config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    n_vocab = config["vocab_size"]
    tokens = [f"[PAD{i}]" for i in range(n_vocab)]
    kinds = [TOKEN_UNUSED] * n_vocab
    for text, i in tokenizer["model"]["vocab"].items():
        tokens[i], kinds[i] = text, TOKEN_NORMAL
    for added in tokenizer.get("added_tokens", []):
        tokens[added["id"]] = added["content"]
        kinds[added["id"]] = TOKEN_CONTROL if added.get("special") else TOKEN_USER_DEFINED
    merges = [m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre_tokenizer_name(tokenizer))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    ids = {text: i for i, text in enumerate(tokens)}
    for role, add in (
        ("bos", writer.add_bos_token_id),
        ("eos", writer.add_eos_token_id),
        ("unk", writer.add_unk_token_id),
        ("pad", writer.add_pad_token_id),
    ):
        token = tokenizer_config.get(role + "_token")
        token = token.get("content") if isinstance(token, dict) else token
        if token in ids:
            add(ids[token])
    processors = tokenizer.get("post_processor") or {}
    writer.add_add_bos_token(
        any(
            "SpecialToken" in (p.get("single") or [{}])[0]
            for p in processors.get("processors", [processors])
            if p.get("type") == "TemplateProcessing"
        )
    )


def llama3_rope_factors(rope, theta, head_size):
    """Divisors of the rotation frequencies: long waves are slowed by `factor`, middle ones in part."""
    context = rope["original_max_position_embeddings"]
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    factors = []
    for k in range(0, head_size, 2):
        length = 2 * math.pi * theta ** (k / head_size)
        if length < context / high:
            factors.append(1.0)
        elif length > context / low:
            factors.append(rope["factor"])
        else:
            smooth = (context / length - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(factors, "<f4")


def add_hyperparameters(writer, config, head_size, theta):
    heads = config["num_attention_heads"]
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config.get("max_position_embeddings", 2048))
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads", heads))
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_layer_norm_rms_eps(config.get("rms_norm_eps", 1e-6))
    writer.add_rope_freq_base(theta)
    writer.add_rope_dimension_count(head_size)
    writer.add_vocab_size(config["vocab_size"])


def add_tensors(writer, folder, config, architecture, kind):
    heads = config["num_attention_heads"]
    permuted = {"attn_q": heads, "attn_k": config.get("num_key_value_heads", heads)}
    for name, dtype, shape, raw in read_tensors(folder):
        target = gguf_name(name)
        if target is None or (name == "lm_head.weight" and config.get("tie_word_embeddings")):
            continue
        values = to_f32(dtype, shape, np.asarray(raw))
        part = target.split(".")[-2]
        if architecture == "llama" and part in permuted:
            values = interleave_halves(values, permuted[part])
        if values.ndim < 2 or kind == "f32":
            writer.add_tensor(target, values)
        elif kind == "f16":
            writer.add_tensor(target, values.astype("<f2"))
        else:
            data = to_bf16_bytes(values).reshape(values.shape[0], -1)
            writer.add_tensor(target, data, raw_dtype=gguf.GGMLQuantizationType.BF16)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("kind", choices=["f32", "f16", "bf16"], nargs="?", default="bf16")
    options = parser.parse_args()
    config = json.loads((options.folder / "config.json").read_text(encoding="utf-8"))
    architecture = ARCHITECTURES.get(config["architectures"][0])
    if architecture is None:
        sys.exit(f"hf2gguf: architecture {config['architectures']} is not handled")
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    theta = rope.get("rope_theta", config.get("rope_theta", 10000.0))
    head_size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]

    writer = gguf.GGUFWriter(options.output, architecture)
    writer.add_type("model")
    writer.add_name(options.folder.resolve().name)
    writer.add_file_type({"f32": 0, "f16": 1, "bf16": 32}[options.kind])
    writer.add_quantization_version(2)
    add_hyperparameters(writer, config, head_size, theta)
    add_tokenizer(writer, options.folder, config)
    if rope.get("rope_type", rope.get("type")) == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_rope_factors(rope, theta, head_size))
    add_tensors(writer, options.folder, config, architecture, options.kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(options.output)


main()
