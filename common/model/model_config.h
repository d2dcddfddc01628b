#pragma once
// config.json as numbers, whatever spelling the model family uses.

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "common/model/layer_windows.h"
#include "common/model/rope_config.h"

namespace lq::model {

/// A number that the file does not state and that nothing else implies is 0.
struct ModelConfig {
  std::filesystem::path path;  // of config.json, for messages
  std::string architecture;    // architectures[0], e.g. "LlamaForCausalLM"; may be empty
  std::string model_type;      // "llama"; may be empty, but not together with architecture
  std::int64_t n_layers = 0, hidden = 0, ffn = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0;
  bool head_dim_given = false;
  std::int64_t context = 0, vocab = 0;
  double norm_eps = 0;
  bool tied_embeddings = false;
  LayerWindows windows;
  std::int64_t n_experts = 0;  // 0 = dense
  RopeConfig rope;
  std::string activation;   // "silu"; empty = not stated
  std::string torch_dtype;  // as stated, may be empty
  nlohmann::json raw;       // for keys that only one consumer needs
};

/// Reads DIR/config.json. Throws ModelNotFoundError when DIR or the file is missing,
/// ValidationError for a value that cannot be (the key named) and for a file that names no kind of
/// model. A missing number is no error here, because models of unknown families are inspected too:
/// require_complete() is for those that are converted.
ModelConfig read_config(const std::filesystem::path& dir);

/// Every number that a dense transformer needs is there and they fit together. Throws
/// ValidationError, all problems in one.
void require_complete(const ModelConfig& config);

/// The quantization that a checkpoint already carries, as config.json names it ("awq", "gptq",
/// "fp8" ...); empty for plain weights.
std::string quantization_method(const ModelConfig& config);

}  // namespace lq::model
