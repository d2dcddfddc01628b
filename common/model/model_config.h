#pragma once
// config.json as numbers, whatever spelling the model family uses.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lq::model {

enum class RopeScalingKind { kNone, kLinear, kDynamic, kLlama3, kYarn, kLongRope };

struct RopeConfig {
  double base = 10000;
  RopeScalingKind scaling = RopeScalingKind::kNone;
  double factor = 1;
  double low_freq_factor = 1, high_freq_factor = 4;
  std::int64_t original_context = 0;  // 0 = not given
  std::optional<double> extrapolation_factor, attention_factor, beta_fast, beta_slow;
};

struct ModelConfig {
  std::string architecture;  // architectures[0], e.g. "LlamaForCausalLM"
  std::string model_type;    // "llama"
  std::int64_t n_layers = 0, hidden = 0, ffn = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0;
  bool head_dim_given = false;
  std::int64_t context = 0, vocab = 0;
  double norm_eps = 0;
  bool tied_embeddings = false;
  std::int64_t sliding_window = 0;  // 0 = none
  RopeConfig rope;
  std::string torch_dtype;  // as stated, may be empty
  nlohmann::json raw;       // for keys that only one consumer needs
};

/// Reads DIR/config.json. Throws ModelNotFoundError when it is missing, ValidationError for what is broken or
/// missing in it (the key named), UnsupportedError for what no reader of ours understands.
ModelConfig read_config(const std::filesystem::path& dir);

}  // namespace lq::model
