#include "common/forward/norm.h"

#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "common/kernels/token_rows.h"

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
  assert(x.size() == y.size());
  rms_norm(x, weight, eps, tensor::DType::kF32, std::as_writable_bytes(y).data());
}

void rms_norm(std::span<const float> x, std::span<const float> weight, double eps,
              tensor::DType dtype, std::byte* y) {
  assert(x.size() == weight.size());
  const double mean = kernels::sum_of_squares(x.data(), x.size()) / static_cast<double>(x.size());
  const auto scale = static_cast<float>(1.0 / std::sqrt(mean + eps));
  kernels::scale_row(x.data(), scale, weight.data(), x.size(), dtype, y);
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
