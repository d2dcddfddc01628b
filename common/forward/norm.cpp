#include "common/forward/norm.h"

#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>

namespace lq::forward {
namespace {

/// Eight sums side by side, added in a fixed order: one would wait for itself.
template <class Term>
double sum_of(std::size_t n, Term term) {
  constexpr std::size_t kSums = 8;
  std::array<double, kSums> sums = {};
  std::size_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (std::size_t k = 0; k < kSums; ++k) sums[k] += term(i + k);
  }
  double total = 0;
  for (; i < n; ++i) total += term(i);
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

void rms_norm(std::span<const float> x, std::span<const float> weight, double eps,
              std::span<float> y) {
  assert(x.size() == weight.size() && x.size() == y.size());
  const double squares = sum_of(x.size(), [&](std::size_t i) {
    return static_cast<double>(x[i]) * static_cast<double>(x[i]);
  });
  const auto scale =
      static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(x.size()) + eps));
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * scale * weight[i];
}

void layer_norm(std::span<const float> x, std::span<const float> weight,
                std::span<const float> bias, double eps, std::span<float> y) {
  assert(x.size() == weight.size() && x.size() == y.size());
  assert(bias.empty() || bias.size() == x.size());
  const auto n = static_cast<double>(x.size());
  const double mean = sum_of(x.size(), [&](std::size_t i) { return double{x[i]}; }) / n;
  const double variance = sum_of(x.size(),
                                 [&](std::size_t i) {
                                   const double off = double{x[i]} - mean;
                                   return off * off;
                                 }) /
                          n;
  const double scale = 1.0 / std::sqrt(variance + eps);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto value = static_cast<float>((double{x[i]} - mean) * scale);
    y[i] = value * weight[i] + (bias.empty() ? 0.0F : bias[i]);
  }
}

}  // namespace lq::forward
