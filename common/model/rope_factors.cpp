#include "common/model/rope_factors.h"

#include <cassert>
#include <cmath>
#include <numbers>

namespace lq::model {

std::vector<float> llama3_rope_factors(const ModelConfig& config) {
  const RopeConfig& rope = config.rope;
  assert(rope.scaling == RopeScalingKind::kLlama3);
  constexpr double kUsualContext = 8192;  // of Llama 3 before it was stretched
  const double context =
      rope.original_context > 0 ? static_cast<double>(rope.original_context) : kUsualContext;
  const auto longest = static_cast<float>(context / rope.low_freq_factor);
  const auto shortest = static_cast<float>(context / rope.high_freq_factor);
  const auto factor = static_cast<float>(rope.factor);
  const auto dim = static_cast<float>(config.head_dim);
  std::vector<float> divisors;
  for (std::int64_t k = 0; k < config.head_dim; k += 2) {
    // Quotients with a tensor below the line are reciprocals times the number there.
    const float power = std::pow(static_cast<float>(rope.base), static_cast<float>(k) / dim);
    const float frequency = 1.0F / power;
    const float wavelength = (1.0F / frequency) * static_cast<float>(2 * std::numbers::pi);
    if (wavelength < shortest) {
      divisors.push_back(1);
    } else if (wavelength > longest) {
      divisors.push_back(factor);
    } else {
      const float position = (1.0F / wavelength) * static_cast<float>(context);
      const float smooth = (position - static_cast<float>(rope.low_freq_factor)) /
                           static_cast<float>(rope.high_freq_factor - rope.low_freq_factor);
      divisors.push_back(1.0F / ((1.0F - smooth) / factor + smooth));
    }
  }
  return divisors;
}

}  // namespace lq::model
