#pragma once
// The numbers that describe a model, with one list of their keys and labels: --diff compares a
// Hugging Face directory with a GGUF file by these keys.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lq::inspect {

/// A labelled value of the text report; the key is its name in JSON.
struct Fact {
  std::string key, label;
  nlohmann::ordered_json value;
};

struct RopeFacts {
  double base = 10000;
  std::string scaling = "none";
  std::optional<double> factor;
  std::int64_t original_context = 0;
};

/// A number that the model does not state is 0.
struct Hyperparameters {
  std::int64_t layers = 0, hidden_size = 0, feed_forward_size = 0;
  std::int64_t heads = 0, kv_heads = 0, head_dim = 0;
  std::int64_t vocabulary_size = 0, context_length = 0, sliding_window = 0, experts = 0;
  std::int64_t sliding_window_layers = 0;  // where not all have it
  RopeFacts rope;
  bool tied_embeddings = false;
};

/// What is stated, in the order of the report.
std::vector<Fact> facts_of(const Hyperparameters& numbers);

}  // namespace lq::inspect
