#pragma once
// Model directories of a few kilobytes: a config.json, weights of the shapes that it implies, a
// minimal tokenizer.

#include <cstdint>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/model/checkpoint.h"
#include "tests/support/scratch.h"

namespace lq::testing {

using nlohmann::json;
using Shapes = std::map<std::string, std::vector<std::int64_t>>;

/// Two layers, four query heads on two key-value heads of 8 dimensions.
inline json small_config(const std::string& architecture = "LlamaForCausalLM") {
  return {{"architectures", {architecture}},
          {"model_type", "llama"},
          {"num_hidden_layers", 2},
          {"hidden_size", 32},
          {"intermediate_size", 64},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"max_position_embeddings", 128},
          {"vocab_size", 10},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"torch_dtype", "float32"}};
}

inline Shapes small_shapes(const json& config) {
  const std::int64_t hidden = config["hidden_size"], ffn = config["intermediate_size"];
  const std::int64_t heads = config["num_attention_heads"], kv = config["num_key_value_heads"];
  const std::int64_t dim = config.value("head_dim", static_cast<std::int64_t>(hidden / heads));
  Shapes shapes = {{"model.embed_tokens.weight", {config["vocab_size"], hidden}},
                   {"model.norm.weight", {hidden}},
                   {"lm_head.weight", {config["vocab_size"], hidden}}};
  for (int layer = 0; layer < config["num_hidden_layers"]; ++layer) {
    const std::string at = "model.layers." + std::to_string(layer) + ".";
    shapes[at + "input_layernorm.weight"] = {hidden};
    shapes[at + "post_attention_layernorm.weight"] = {hidden};
    shapes[at + "self_attn.q_proj.weight"] = {heads * dim, hidden};
    shapes[at + "self_attn.k_proj.weight"] = {kv * dim, hidden};
    shapes[at + "self_attn.v_proj.weight"] = {kv * dim, hidden};
    shapes[at + "self_attn.o_proj.weight"] = {hidden, heads * dim};
    if (config["architectures"][0] == "Qwen2ForCausalLM") {
      shapes[at + "self_attn.q_proj.bias"] = {heads * dim};
      shapes[at + "self_attn.k_proj.bias"] = {kv * dim};
      shapes[at + "self_attn.v_proj.bias"] = {kv * dim};
    }
    shapes[at + "mlp.gate_proj.weight"] = {ffn, hidden};
    shapes[at + "mlp.up_proj.weight"] = {ffn, hidden};
    shapes[at + "mlp.down_proj.weight"] = {hidden, ffn};
  }
  return shapes;
}

/// A safetensors file whose float32 values count upwards from 0 in every tensor.
inline std::string counting_weights(const Shapes& shapes, const std::string& dtype = "F32") {
  const std::size_t width = dtype == "F32" ? 4 : dtype == "I8" ? 1 : 2;
  json header = json::object();
  std::string data;
  for (const auto& [name, shape] : shapes) {
    std::size_t n = 1;
    for (const std::int64_t extent : shape) n *= static_cast<std::size_t>(extent);
    const std::size_t begin = data.size();
    data.resize(begin + n * width);
    for (std::size_t i = 0; width == 4 && i < n; ++i) {
      const auto value = static_cast<float>(i);
      std::memcpy(data.data() + begin + i * width, &value, width);
    }
    header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  while (text.size() % 8 != 0) text += ' ';
  const std::uint64_t size = text.size();
  std::string file(sizeof size, '\0');
  std::memcpy(file.data(), &size, sizeof size);
  return file + text + data;
}

inline json small_tokenizer() {
  return json::parse(R"({
    "added_tokens": [{"id": 6, "content": "<s>", "special": true},
                     {"id": 7, "content": "<|im_end|>", "special": false},
                     {"id": 8, "content": "<tool>", "special": false}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "use_regex": true},
    "post_processor": null,
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4, "\u0120a": 5},
              "merges": ["a b", "ab c"]}})");
}

/// All of it in `scratch`.
inline std::filesystem::path write_model(const ScratchDirectory& scratch, const json& config,
                                         const Shapes& shapes, const std::string& dtype = "F32") {
  scratch.write("config.json", config.dump());
  scratch.write("model.safetensors", counting_weights(shapes, dtype));
  scratch.write("tokenizer.json", small_tokenizer().dump());
  return scratch.path();
}

inline model::Checkpoint small_checkpoint(const ScratchDirectory& scratch,
                                          const json& config = small_config()) {
  return model::open_checkpoint(write_model(scratch, config, small_shapes(config)));
}

}  // namespace lq::testing
