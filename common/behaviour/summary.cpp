#include "common/behaviour/summary.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <vector>

namespace lq::behaviour {
namespace {

/// One quantity of some positions, with the windows that they are of.
struct Sample {
  std::vector<double> values;
  std::vector<std::size_t> window;

  Estimate mean() const { return mean_of(values, window); }
};

enum class Of { kAll, kWithNext };

template <class F>
Sample sample_of(std::span<const PositionResult> results, Of which, F value) {
  Sample sample;
  for (const PositionResult& result : results) {
    if (which == Of::kWithNext && !result.has_next) continue;
    sample.values.push_back(value(result));
    sample.window.push_back(result.window);
  }
  return sample;
}

std::size_t n_groups(std::span<const std::size_t> window) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < window.size(); ++i) n += i == 0 || window[i] != window[i - 1] ? 1 : 0;
  return n;
}

/// What an interval is made of.
struct Spread {
  double mean = 0, standard_error = 0, t = 0;
};

Spread spread_of(std::span<const double> values, std::span<const std::size_t> window) {
  assert(!values.empty() && values.size() == window.size());
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  Spread spread{.mean = sum / n};
  const bool single = n_groups(window) == 1;
  const std::size_t groups = single ? values.size() : n_groups(window);
  if (groups == 1) return spread;
  double squares = 0, of_group = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    of_group += values[i] - spread.mean;
    if (!single && i + 1 < values.size() && window[i + 1] == window[i]) continue;
    squares += of_group * of_group;
    of_group = 0;
  }
  const auto g = static_cast<double>(groups);
  spread.standard_error = std::sqrt(g / (g - 1) * squares) / n;
  spread.t = student_t(groups - 1);
  return spread;
}

Estimate exp_of(const Estimate& of) {
  return {std::exp(of.value), std::exp(of.low), std::exp(of.high)};
}

/// The root of a mean square; of its interval to first order.
Estimate root_of(const Estimate& square) {
  const double root = std::sqrt(square.value);
  if (root == 0) return {};
  const double half = (square.high - square.low) / 2 / (2 * root);
  return {root, std::max(0.0, root - half), root + half};
}

double p_change_of(const PositionResult& result) {
  return std::exp(-result.loss) - std::exp(-result.reference_loss);
}

void summarize_divergence(std::span<const PositionResult> results, ComparisonSummary& summary) {
  Sample sample =
      sample_of(results, Of::kAll, [](const PositionResult& r) { return r.divergence; });
  summary.divergence = sample.mean();
  std::ranges::sort(sample.values);
  summary.divergence_median = quantile(sample.values, 0.5);
  summary.divergence_90 = quantile(sample.values, 0.9);
  summary.divergence_99 = quantile(sample.values, 0.99);
  summary.divergence_max = sample.values.back();
}

}  // namespace

double student_t(std::size_t degrees_of_freedom) {
  // The expansion of Fisher and Cornish (Technometrics 2, 1960) is off by less than 0.002 behind these.
  constexpr std::array kOfFew = {12.706205, 4.302653, 3.182446, 2.776445, 2.570582};
  if (degrees_of_freedom <= kOfFew.size()) return kOfFew[degrees_of_freedom - 1];
  constexpr double z = 1.959964, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  const auto n = static_cast<double>(degrees_of_freedom);
  return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n);
}

double quantile(std::span<const double> sorted, double q) {
  const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

Estimate mean_of(std::span<const double> values, std::span<const std::size_t> window) {
  const Spread spread = spread_of(values, window);
  const double half = spread.t * spread.standard_error;
  return {spread.mean, spread.mean - half, spread.mean + half};
}

Estimate share_of(std::span<const double> values, std::span<const std::size_t> window) {
  const Spread spread = spread_of(values, window);
  const double p = spread.mean, se = spread.standard_error, z = spread.t;
  auto n = static_cast<double>(values.size());
  if (se > 0) n = std::min(n, p * (1 - p) / (se * se));
  const double denominator = 1 + z * z / n;
  const double centre = (p + z * z / (2 * n)) / denominator;
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / denominator;
  return {p, std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

PerplexitySummary summarize_perplexity(std::span<const PositionResult> results) {
  const Sample losses =
      sample_of(results, Of::kWithNext, [](const PositionResult& r) { return r.loss; });
  PerplexitySummary summary;
  summary.n_windows = n_groups(losses.window);
  summary.n_tokens = losses.values.size();
  summary.loss = losses.mean();
  summary.perplexity = exp_of(summary.loss);
  return summary;
}

ComparisonSummary summarize_comparison(std::span<const PositionResult> results) {
  const auto of_tokens = [&](auto value) { return sample_of(results, Of::kWithNext, value); };
  const Sample losses = of_tokens([](const PositionResult& r) { return r.loss; });
  const Sample of_reference = of_tokens([](const PositionResult& r) { return r.reference_loss; });
  const Sample differences =
      of_tokens([](const PositionResult& r) { return r.loss - r.reference_loss; });
  const Sample changes = of_tokens(p_change_of);
  const Sample squares = of_tokens([](const PositionResult& r) {
    const double change = p_change_of(r);
    return change * change;
  });
  const Sample same =
      sample_of(results, Of::kAll, [](const PositionResult& r) { return r.same_top ? 1.0 : 0.0; });
  ComparisonSummary summary;
  summary.n_windows = n_groups(same.window);
  summary.n_positions = results.size();
  summary.n_tokens = losses.values.size();
  summary.perplexity = exp_of(losses.mean());
  summary.reference_perplexity = exp_of(of_reference.mean());
  summary.perplexity_ratio = exp_of(differences.mean());
  summary.same_top = share_of(same.values, same.window);
  summary.p_change = changes.mean();
  summary.p_change_rms = root_of(squares.mean());
  summarize_divergence(results, summary);
  return summary;
}

}  // namespace lq::behaviour
