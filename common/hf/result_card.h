#pragma once
// README.md of a quantized model directory: front matter for the Hub, what was done, how well it
// fits, how to load it. The same text for the same facts: no times, no paths.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/hf/format.h"
#include "common/hf/runtimes.h"
#include "common/model/checkpoint.h"

namespace lq::hf {

/// How well the linears of one role fit: sums over them of tr(E H E^T) over sums of tr(W H W^T), with
/// E = W - Q and H the damped Gram matrix of what they read; W as it was to be met: scaled, and of a
/// sequential run corrected.
struct RoleError {
  std::string role;  // "q_proj"
  std::size_t n_modules = 0;
  double error = 0;
  std::optional<double> rounding_error;  // of rounding to nearest
};

struct CardFacts {
  std::string title;   // "SmolLM2-135M, GPTQ 4 bits"
  std::string method;  // sentences on how the codes were chosen
  const Format* format = nullptr;
  const QuantizationFacts* quantization = nullptr;
  std::vector<std::pair<std::string, std::string>> settings;  // name, value
  std::vector<RoleError> errors;
  std::vector<Verdict> verdicts;
  std::vector<std::string> unknown_tensors;  // copied as they are
};

/// Licence and ancestry are carried over from the model card and the origin of the source.
std::string result_card(const model::Checkpoint& source, const CardFacts& facts);

}  // namespace lq::hf
