#pragma once
// Small models of any known architecture with random weights, in Hugging Face layout: what its
// table of tensors and config.json ask for, with the tokenizer of the bundled model.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "common/model/architecture.h"
#include "common/model/tensor_map.h"
#include "common/tensor/convert.h"
#include "tests/support/scratch.h"

namespace lq::testing {

/// Sizes that differ from one another; three layers, so that a value of one does not do for all.
inline nlohmann::json random_config(const std::string& architecture,
                                    const nlohmann::json& keys = {}) {
  nlohmann::json config = {
      {"architectures", {architecture}}, {"num_hidden_layers", 3},       {"hidden_size", 64},
      {"intermediate_size", 112},        {"num_attention_heads", 4},     {"num_key_value_heads", 2},
      {"max_position_embeddings", 512},  {"vocab_size", 2048},           {"rms_norm_eps", 1e-5},
      {"rope_theta", 10000.0},           {"tie_word_embeddings", false}, {"hidden_act", "silu"},
      {"torch_dtype", "float32"},        {"bos_token_id", 2046},         {"eos_token_id", 2047}};
  for (const model::Architecture* row : model::architectures()) {
    for (const model::HfClass& known : row->hf_classes) {
      if (known.name == architecture) config["model_type"] = known.model_type;
    }
  }
  if (!keys.is_null()) config.update(keys);
  return config;
}

/// Random weights in the type that config.json states, float32 or bfloat16. Queries and keys are strong enough that attention looks at single
/// tokens, and no part of the model is small against the others: an error anywhere shows in the
/// logits.
class RandomWeights {
 public:
  explicit RandomWeights(const model::ModelConfig& config)
      : config_(config), is_bf16_(config.torch_dtype == "bfloat16") {}

  void add(const model::TensorRow& row, int layer, bool has_bias) {
    const std::string name = model::expand_layer(row.hf, layer);
    const std::int64_t rows = model::extent_of(row.rows, config_);
    const std::int64_t columns = model::extent_of(row.columns, config_);
    if (columns == 0) {  // a norm
      const bool is_of_heads = row.rows == model::Extent::kHeadDim;
      add_values(name + ".weight", {rows}, is_of_heads ? 1.3 : 1, 0.2);
    } else {
      add_values(name + ".weight", {rows, columns}, 0, deviation(row.role, columns));
    }
    if (has_bias) add_values(name + ".bias", {rows}, 0, 0.5);
  }

  std::string file() const {
    std::string header = header_.dump();
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::uint64_t size = header.size();
    return std::string(reinterpret_cast<const char*>(&size), sizeof size) + header + data_;
  }

 private:
  static double deviation(model::TensorRole role, std::int64_t columns) {
    const double unit = 1 / std::sqrt(static_cast<double>(columns));
    switch (role) {
      case model::TensorRole::kTokenEmbedding:
        return 1;
      case model::TensorRole::kAttnQ:
      case model::TensorRole::kAttnK:
        return 1.5 * unit;
      case model::TensorRole::kOutput:
        return 3 * unit;
      default:
        return unit;
    }
  }

  void add_values(const std::string& name, const std::vector<std::int64_t>& shape, double mean,
                  double deviation) {
    std::int64_t n = 1;
    for (const std::int64_t extent : shape) n *= extent;
    const std::size_t begin = data_.size();
    for (std::int64_t i = 0; i < n; ++i) {
      const auto value = static_cast<float>(mean + deviation * normal());
      const std::uint16_t rounded = tensor::f32_to_bf16(value);
      if (is_bf16_) {
        data_.append(reinterpret_cast<const char*>(&rounded), sizeof rounded);
      } else {
        data_.append(reinterpret_cast<const char*>(&value), sizeof value);
      }
    }
    header_[name] = {{"dtype", is_bf16_ ? "BF16" : "F32"},
                     {"shape", shape},
                     {"data_offsets", {begin, data_.size()}}};
  }

  /// Normal enough, and the same everywhere: the library's distributions are its own.
  double normal() {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random_()) / 4294967296.0;
    return sum - 6;
  }

  const model::ModelConfig& config_;
  const bool is_bf16_;
  std::mt19937 random_{1};
  nlohmann::json header_ = nlohmann::json::object();
  std::string data_;
};

/// Writes a model with that config.json into `scratch` and returns its directory. Biases that may
/// be absent are there where `attention_bias` and `mlp_bias` say so.
inline std::filesystem::path write_random_model(const ScratchDirectory& scratch,
                                                const nlohmann::json& config) {
  const std::filesystem::path tokenizer = std::filesystem::path(LQ_TEST_DATA) / "tiny-llama";
  for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
    std::filesystem::copy_file(tokenizer / name, scratch.path() / name);
  }
  scratch.write("config.json", config.dump());
  const model::ModelConfig read = model::read_config(scratch.path());
  RandomWeights weights(read);
  for (const model::TensorRow& row : model::find_architecture(read).tensors) {
    if (row.presence == model::Presence::kUnlessTied && read.tied_embeddings) continue;
    const char* const key = row.hf.find(".mlp.") != row.hf.npos ? "mlp_bias" : "attention_bias";
    const bool has_bias = row.bias == model::Bias::kRequired ||
                          (row.bias == model::Bias::kOptional && config.value(key, false));
    const int first = row.per_layer() ? 0 : -1;
    const int end = row.per_layer() ? static_cast<int>(read.n_layers) : 0;
    for (int layer = first; layer < end; ++layer) weights.add(row, layer, has_bias);
  }
  scratch.write("model.safetensors", weights.file());
  return scratch.path();
}

/// Random token ids below the vocabulary's size.
inline std::vector<std::int32_t> random_ids(std::size_t n) {
  std::mt19937 random(2);
  std::vector<std::int32_t> ids(n);
  for (std::int32_t& id : ids) id = static_cast<std::int32_t>(random() % 2048);
  return ids;
}

}  // namespace lq::testing
