#pragma once
// What differs between two models.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/lq-inspect/facts.h"

namespace lq::inspect {

struct Difference {
  std::string what;         // "metadata", "tensor", "shape", "type"
  std::string name;         // key or tensor
  std::string left, right;  // "-" where one side has none
};

/// Hyperparameters when the two are stored differently (Hugging Face against GGUF), else all
/// metadata; then tensors: missing on a side, shapes, types.
std::vector<Difference> differences(const ModelFacts& left, const ModelFacts& right);

std::vector<std::string> text_of(const std::vector<Difference>& differences);
nlohmann::ordered_json json_of(const std::vector<Difference>& differences);

}  // namespace lq::inspect
