#pragma once
// Limits that a user sets for what a quantized model may lose, and the grade of one that is judged
// without any.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/finding.h"
#include "common/behaviour/summary.h"

namespace lq::verify {

struct Gates {
  std::optional<double> max_perplexity_increase = {};  // a share of the reference's: 0.05
  std::optional<double> max_divergence = {};           // mean KL(reference || model) in nats
  std::optional<double> min_same_top = {};             // share of the positions
  std::optional<double> max_tensor_error = {};         // tr(E H E^T) / tr(W H W^T), of each tensor

  bool ask_behaviour() const { return max_perplexity_increase || max_divergence || min_same_top; }
};

/// "5%" or "0.05". Throws UsageError, `option` named, for what is no share or outside of
/// [0, highest].
double parse_share(std::string_view option, const std::string& text, double highest);

/// One fault for each limit that the measured values miss, with both numbers.
base::Findings missed(const Gates& gates, const behaviour::ComparisonSummary& measured);
/// The same for the output error of one tensor.
base::Findings missed(const Gates& gates, const std::string& tensor, double output_error);

/// How much of a model's behaviour is left. A result has the best grade of which it keeps both limits;
/// the last one has none and is a fault.
struct Grade {
  std::string_view name;     // "good"
  double max_divergence;     // mean, in nats
  double max_increase;       // of the perplexity, a share
  std::string_view meaning;  // for people
};
std::span<const Grade> grades();
const Grade& grade_of(const behaviour::ComparisonSummary& measured);
/// A fault where the grade is the last.
base::Findings missed(const Grade& grade, const behaviour::ComparisonSummary& measured);

}  // namespace lq::verify
