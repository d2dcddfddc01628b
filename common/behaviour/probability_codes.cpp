#include "common/behaviour/probability_codes.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "common/kernels/exp_rows.h"

namespace lq::behaviour {
namespace {

constexpr std::size_t kStrip = 2048;

/// ln p of each code but 0.
const std::vector<float>& logarithms() {
  static const std::vector<float> table = [] {
    std::vector<float> values(std::size_t{kMostCode} + 1);
    for (std::size_t code = 1; code < values.size(); ++code) {
      values[code] = static_cast<float>(2 * std::log(static_cast<double>(code) / kMostCode));
    }
    return values;
  }();
  return table;
}

}  // namespace

float encode_probabilities(std::span<const float> logits, double log_sum,
                           std::span<std::uint16_t> codes) {
  assert(logits.size() == codes.size());
  // Rounded, it is still no less than any logit.
  const auto norm = static_cast<float>(log_sum);
  alignas(64) std::array<float, kStrip> roots;
  double rest = 0;
  std::size_t n_rest = 0;
  for (std::size_t first = 0; first < logits.size(); first += kStrip) {
    const std::size_t n = std::min(kStrip, logits.size() - first);
    kernels::softmax_weights(logits.data() + first, n, norm, 0.5F, tensor::DType::kF32,
                             std::as_writable_bytes(std::span(roots)).data());
    for (std::size_t i = 0; i < n; ++i) {
      const auto code = static_cast<std::uint16_t>(roots[i] * float{kMostCode} + 0.5F);
      codes[first + i] = std::min(code, kMostCode);
      if (code != 0) continue;
      rest += double{roots[i]} * double{roots[i]};
      ++n_rest;
    }
  }
  return n_rest == 0 ? 0 : static_cast<float>(rest / static_cast<double>(n_rest));
}

void decode_probabilities(std::span<const std::uint16_t> codes, float rest,
                          std::span<float> log_p) {
  assert(codes.size() == log_p.size());
  const std::vector<float>& table = logarithms();
  const float of_rest = std::log(std::max(rest, std::numeric_limits<float>::min()));
  for (std::size_t i = 0; i < codes.size(); ++i) {
    log_p[i] = codes[i] == 0 ? of_rest : table[codes[i]];
  }
}

}  // namespace lq::behaviour
