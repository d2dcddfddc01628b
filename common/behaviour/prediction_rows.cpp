#include "common/behaviour/prediction_rows.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <functional>

#include "common/kernels/exp_rows.h"

namespace lq::behaviour {
namespace {

constexpr std::size_t kStrip = 2048;
constexpr std::size_t kLanes = 16;

double sum_of(const std::array<float, kLanes>& lanes) {
  double sum = 0;
  for (const float lane : lanes) sum += double{lane};
  return sum;
}

/// exp(logits - largest) of one strip. Sums of it are made in lanes, which compilers turn into
/// vectors: one sum after the other would lose two digits.
struct Strip {
  alignas(64) std::array<float, kStrip> weights;
  std::size_t n = 0;

  void fill(std::span<const float> logits, float largest) {
    n = logits.size();
    kernels::softmax_weights(logits.data(), n, largest, 1.0F, tensor::DType::kF32,
                             std::as_writable_bytes(std::span(weights)).data());
  }

  double sum() const {
    std::array<float, kLanes> lanes{};
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += weights[i + lane];
    }
    double rest = 0;
    for (; i < n; ++i) rest += double{weights[i]};
    return sum_of(lanes) + rest;
  }

  /// The sum of weights[i] (p[i] - q[i]).
  double difference(const float* p, const float* q) const {
    std::array<float, kLanes> lanes{};
    std::size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        lanes[lane] += weights[i + lane] * (p[i + lane] - q[i + lane]);
      }
    }
    double rest = 0;
    for (; i < n; ++i) rest += double{weights[i]} * (double{p[i]} - double{q[i]});
    return sum_of(lanes) + rest;
  }
};

}  // namespace

double log_sum_exp(std::span<const float> logits) {
  const float largest = kernels::largest_value(logits.data(), logits.size());
  Strip strip;
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); i += kStrip) {
    strip.fill(logits.subspan(i, std::min(kStrip, logits.size() - i)), largest);
    sum += strip.sum();
  }
  return double{largest} + std::log(sum);
}

std::int32_t likeliest(std::span<const float> logits) {
  const float largest = kernels::largest_value(logits.data(), logits.size());
  return static_cast<std::int32_t>(std::ranges::find(logits, largest) - logits.begin());
}

double divergence(const PredictionRow& p, const PredictionRow& q) {
  assert(p.logits.size() == q.logits.size());
  const float largest = kernels::largest_value(p.logits.data(), p.logits.size());
  Strip strip;
  double sum = 0, difference = 0;
  for (std::size_t i = 0; i < p.logits.size(); i += kStrip) {
    const std::size_t n = std::min(kStrip, p.logits.size() - i);
    strip.fill(p.logits.subspan(i, n), largest);
    sum += strip.sum();
    difference += strip.difference(p.logits.data() + i, q.logits.data() + i);
  }
  return std::max(0.0, difference / sum - (p.log_sum - q.log_sum));
}

}  // namespace lq::behaviour
