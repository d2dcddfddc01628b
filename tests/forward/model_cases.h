#pragma once
// Every architecture and option of config.json that changes what is computed: one row each. All are
// run by transformers, and by llama.cpp as what its runtime makes of them.

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "tests/forward/random_model.h"

namespace lq::testing {

struct ModelCase {
  const char* name;
  const char* architecture;
  const char* keys;  // of config.json, over those of random_config
  // What llama.cpp computes is the model with these as well, of which the converter warns; nullptr:
  // the model itself.
  const char* runtime_keys = nullptr;

  nlohmann::json config() const { return random_config(architecture, nlohmann::json::parse(keys)); }
  nlohmann::json runtime_config() const {
    nlohmann::json config_of_runtime = config();
    if (runtime_keys != nullptr) config_of_runtime.update(nlohmann::json::parse(runtime_keys));
    return config_of_runtime;
  }
};

/// Windows of so many tokens are run: more than the contexts and windows of the rows, and less.
inline constexpr std::size_t kLongWindow = 320, kShortWindow = 100;

inline constexpr ModelCase kModelCases[] = {
    {"Llama", "LlamaForCausalLM", R"({})"},
    {"LlamaOfBfloat16Weights", "LlamaForCausalLM", R"({"torch_dtype": "bfloat16"})"},
    {"LlamaWithAKeyForEachQuery", "LlamaForCausalLM", R"({"num_key_value_heads": 4})"},
    {"LlamaWithOneKeyForAllQueries", "LlamaForCausalLM", R"({"num_key_value_heads": 1})"},
    {"LlamaWithBiases", "LlamaForCausalLM", R"({"attention_bias": true, "mlp_bias": true})"},
    {"LlamaWithAttentionBiases", "LlamaForCausalLM", R"({"attention_bias": true})"},
    {"LlamaWithMlpBiases", "LlamaForCausalLM", R"({"mlp_bias": true})"},
    {"LlamaTied", "LlamaForCausalLM", R"({"tie_word_embeddings": true})"},
    {"LlamaWithWiderHeads", "LlamaForCausalLM", R"({"head_dim": 32})"},
    {"LlamaWithAnotherBase", "LlamaForCausalLM", R"({"rope_theta": 500000.0})"},
    {"LlamaBeyondItsContext", "LlamaForCausalLM", R"({"max_position_embeddings": 128})"},
    {"LlamaStatingAWindowThatItHasNot", "LlamaForCausalLM", R"({"sliding_window": 64})"},
    {"LlamaLinear", "LlamaForCausalLM", R"({"rope_scaling": {"type": "linear", "factor": 4.0}})"},
    {"LlamaDynamic", "LlamaForCausalLM",
     R"({"max_position_embeddings": 128, "rope_scaling": {"type": "dynamic", "factor": 2.0}})",
     R"({"rope_scaling": null})"},
    {"LlamaLlama3", "LlamaForCausalLM",
     R"({"head_dim": 32, "rope_scaling": {"rope_type": "llama3", "factor": 8.0,
         "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 128}})"},
    {"LlamaYarn", "LlamaForCausalLM",
     R"({"head_dim": 32, "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 128}})"},
    {"LlamaYarnOfTheStatedContext", "LlamaForCausalLM",
     R"({"head_dim": 32, "max_position_embeddings": 128,
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0}})"},
    {"LlamaYarnOfAnOuterContext", "LlamaForCausalLM",
     R"({"head_dim": 32, "original_max_position_embeddings": 128,
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 64}})"},
    {"LlamaYarnWithAnAttentionFactor", "LlamaForCausalLM",
     R"({"head_dim": 32, "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 128, "attention_factor": 0.8}})"},
    {"LlamaYarnWithTwoScales", "LlamaForCausalLM",
     R"({"head_dim": 32, "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 128, "mscale": 1.0, "mscale_all_dim": 0.5}})"},
    {"LlamaYarnWithBetas", "LlamaForCausalLM",
     R"({"head_dim": 32, "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 128, "beta_fast": 4, "beta_slow": 2}})",
     R"({"rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 128}})"},
    {"LlamaYarnUntruncated", "LlamaForCausalLM",
     R"({"head_dim": 32, "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 128, "truncate": false}})",
     R"({"rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 128}})"},
    {"Mistral", "MistralForCausalLM", R"({"sliding_window": null, "head_dim": 24})"},
    {"MistralWithAWindow", "MistralForCausalLM",
     R"({"sliding_window": 64, "max_position_embeddings": 256})", R"({"sliding_window": null})"},
    {"MistralWithKindsOfLayers", "MistralForCausalLM",
     R"({"sliding_window": 64, "head_dim": 16, "use_sliding_window": false,
         "layer_types": ["full_attention", "sliding_attention", "full_attention"]})",
     R"({"sliding_window": null})"},
    {"Qwen2", "Qwen2ForCausalLM", R"({"use_sliding_window": false, "sliding_window": 64})"},
    {"Qwen2Tied", "Qwen2ForCausalLM", R"({"tie_word_embeddings": true, "rope_theta": 1e6})"},
    {"Qwen2Dynamic", "Qwen2ForCausalLM",
     R"({"max_position_embeddings": 128, "rope_scaling": {"type": "dynamic", "factor": 4.0}})",
     R"({"rope_scaling": null})"},
    {"Qwen2Yarn", "Qwen2ForCausalLM",
     R"({"rope_scaling": {"type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 128}})"},
    {"Qwen2WithAWindowFromALayerOn", "Qwen2ForCausalLM",
     R"({"use_sliding_window": true, "sliding_window": 64, "max_window_layers": 1,
         "max_position_embeddings": 256})",
     R"({"use_sliding_window": false})"},
    {"Qwen2WithKindsOfLayers", "Qwen2ForCausalLM",
     R"({"use_sliding_window": true, "sliding_window": 64,
         "layer_types": ["sliding_attention", "full_attention", "full_attention"]})",
     R"({"use_sliding_window": false,
         "layer_types": ["full_attention", "full_attention", "full_attention"]})"},
    {"Qwen3", "Qwen3ForCausalLM", R"({"head_dim": 32, "rope_theta": 1e6})"},
    {"Qwen3Tied", "Qwen3ForCausalLM", R"({"head_dim": 32, "tie_word_embeddings": true})"},
    {"Qwen3Linear", "Qwen3ForCausalLM",
     R"({"head_dim": 32, "rope_theta": 10.0, "rope_parameters": {"rope_type": "linear",
         "factor": 3.0, "rope_theta": 1e6}})"},
    {"Qwen3Yarn", "Qwen3ForCausalLM",
     R"({"head_dim": 32, "rope_parameters": {"rope_type": "yarn", "factor": 4.0,
         "rope_theta": 10000.0, "original_max_position_embeddings": 128}})"},
    {"Qwen3Dynamic", "Qwen3ForCausalLM",
     R"({"head_dim": 32, "max_position_embeddings": 128,
         "rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e6}})",
     R"({"rope_theta": 1e6, "rope_parameters": null})"},
    {"Qwen3WithAWindowFromALayerOn", "Qwen3ForCausalLM",
     R"({"head_dim": 32, "use_sliding_window": true, "sliding_window": 32,
         "max_window_layers": 2})",
     R"({"use_sliding_window": false})"},
    {"Qwen3WithKindsOfLayers", "Qwen3ForCausalLM",
     R"({"head_dim": 32, "use_sliding_window": true, "sliding_window": 32,
         "layer_types": ["full_attention", "sliding_attention", "full_attention"]})",
     R"({"use_sliding_window": false,
         "layer_types": ["full_attention", "full_attention", "full_attention"]})"},
};

/// The largest difference over the largest value of `theirs`.
inline double distance(std::span<const float> ours, std::span<const float> theirs) {
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    largest = std::max(largest, std::abs(double{theirs[i]}));
    difference = std::max(difference, std::abs(double{ours[i]} - double{theirs[i]}));
  }
  return difference / largest;
}

}  // namespace lq::testing
