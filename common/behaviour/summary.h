#pragma once
// From values of positions to numbers with intervals of 95 %.
//
// Positions of one window share their text and are not independent. The standard error of a mean
// therefore comes from the windows: with e_w the sum over window w of (x - mean), N positions and G
// windows,
//
//   se^2 = G / (G - 1) * sum of e_w^2 / N^2
//
// (Liang and Zeger, Biometrika 73, 1986), and the interval is mean +- t se with Student's t of G - 1
// degrees of freedom. One window alone tells nothing of that: its positions are taken for
// independent ones, and the interval is too narrow.

#include <cstddef>
#include <span>

#include "common/behaviour/evaluation.h"

namespace lq::behaviour {

struct Estimate {
  double value = 0, low = 0, high = 0;  // low and high: of the interval
};

struct PerplexitySummary {
  std::size_t n_windows = 0, n_tokens = 0;  // that count
  Estimate loss;                            // mean of -ln p(next token) in nats
  Estimate perplexity;                      // exp of it
};

struct ComparisonSummary {
  std::size_t n_windows = 0, n_positions = 0;
  std::size_t n_tokens = 0;  // positions that a token follows; the others have a divergence alone
  Estimate perplexity, reference_perplexity;
  /// perplexity / reference_perplexity, from the differences of the losses token by token: what is
  /// hard for both says nothing of their difference, so that this is far narrower than either.
  Estimate perplexity_ratio;
  Estimate divergence;  // mean KL(reference || model) in nats
  double divergence_median = 0, divergence_90 = 0, divergence_99 = 0, divergence_max = 0;
  Estimate same_top;  // share of the positions
  /// p(next token) of the model less that of the reference, from -1 to 1: its mean, and the root of
  /// its mean square.
  Estimate p_change, p_change_rms;
};

/// REQUIRES: a position that a token follows; results in the order of windows.
PerplexitySummary summarize_perplexity(std::span<const PositionResult> results);
ComparisonSummary summarize_comparison(std::span<const PositionResult> results);

/// A mean with its interval; window[i] is that of values[i]. REQUIRES: not empty, equal sizes, the
/// values of a window side by side.
Estimate mean_of(std::span<const double> values, std::span<const std::size_t> window);
/// A share of yes, each 0 or 1, with Wilson's interval (1927), which is within 0 and 1 and has a
/// width where all agree; its number of observations is what the standard error of mean_of() tells.
/// REQUIRES: as mean_of().
Estimate share_of(std::span<const double> values, std::span<const std::size_t> window);
/// The smallest value that at least the share `q` of all is not above. REQUIRES: ascending, not
/// empty, 0 < q <= 1.
double quantile(std::span<const double> sorted, double q);
/// Student's t: 95 % of the distribution lie within it on both sides. REQUIRES: not 0.
double student_t(std::size_t degrees_of_freedom);

}  // namespace lq::behaviour
