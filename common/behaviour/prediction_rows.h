#pragma once
// One position's logits: norms, and the divergence of two of them. Sums run over strips of a few
// thousand tokens, in float32 inside a strip and in float64 over the strips: the error is about
// 1e-6 of a nat, as that of logits in float32.

#include <cstdint>
#include <span>

namespace lq::behaviour {

/// Logits and ln of the sum of their exponentials.
struct PredictionRow {
  std::span<const float> logits;
  double log_sum = 0;
};

/// ln of the sum of exp(logits). REQUIRES: not empty, no NaN.
double log_sum_exp(std::span<const float> logits);

/// The first of the largest. REQUIRES: not empty, no NaN.
std::int32_t likeliest(std::span<const float> logits);

/// KL(p || q) = sum of p_i (ln p_i - ln q_i) in nats, at least 0 (rounding can fall below).
/// REQUIRES: one vocabulary.
double divergence(const PredictionRow& p, const PredictionRow& q);

}  // namespace lq::behaviour
