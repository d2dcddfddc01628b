#include "tools/lq-inspect/hyperparameters.h"

#include <array>

namespace lq::inspect {
namespace {

struct Row {
  const char *key, *label;
  std::int64_t Hyperparameters::*number;
};
constexpr std::array kNumbers = {
    Row{"layers", "layers", &Hyperparameters::layers},
    Row{"hidden_size", "hidden size", &Hyperparameters::hidden_size},
    Row{"feed_forward_size", "feed-forward", &Hyperparameters::feed_forward_size},
    Row{"heads", "heads", &Hyperparameters::heads},
    Row{"kv_heads", "key-value heads", &Hyperparameters::kv_heads},
    Row{"head_dim", "head size", &Hyperparameters::head_dim},
    Row{"vocabulary_size", "vocabulary", &Hyperparameters::vocabulary_size},
    Row{"context_length", "context", &Hyperparameters::context_length},
    Row{"sliding_window", "sliding window", &Hyperparameters::sliding_window},
    Row{"sliding_window_layers", "layers with it", &Hyperparameters::sliding_window_layers},
    Row{"experts", "experts", &Hyperparameters::experts},
};

nlohmann::ordered_json json_of(const RopeFacts& rope) {
  nlohmann::ordered_json json = {{"base", rope.base}, {"scaling", rope.scaling}};
  if (rope.factor) json["factor"] = *rope.factor;
  if (rope.original_context > 0) json["original_context"] = rope.original_context;
  return json;
}

}  // namespace

std::vector<Fact> facts_of(const Hyperparameters& numbers) {
  std::vector<Fact> facts;
  for (const Row& row : kNumbers) {
    const std::int64_t number = numbers.*row.number;
    if (number != 0) facts.push_back({row.key, row.label, number});
  }
  facts.push_back({"rope", "rope", json_of(numbers.rope)});
  facts.push_back({"tied_embeddings", "tied embeddings", numbers.tied_embeddings});
  return facts;
}

}  // namespace lq::inspect
