#include <algorithm>
#include <cmath>

#include "common/kernels/absmax_detail.h"

namespace lq::kernels::detail {

float absmax_inverse(float d) {
  const float inverse = d == 0.0F ? 0.0F : 1.0F / d;
  return std::isfinite(inverse) ? inverse : 0.0F;
}

float largest_magnitude_reference(std::span<const float> values) {
  float largest = 0.0F;
  for (const float value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

void absmax_q8_0_reference(const float* x, std::size_t n_blocks, float* d, std::int8_t* codes) {
  for (std::size_t b = 0; b < n_blocks; ++b, x += 32, codes += 32) {
    float largest = 0.0F;
    for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
    d[b] = largest / 127.0F;
    const float inverse = absmax_inverse(d[b]);
    for (int i = 0; i < 32; ++i) codes[i] = static_cast<std::int8_t>(std::round(x[i] * inverse));
  }
}

void absmax_signed_reference(const float* x, std::size_t n_blocks, int n, float* d,
                             std::uint8_t* codes) {
  const float half_up = static_cast<float>(n) + 0.5F;
  for (std::size_t b = 0; b < n_blocks; ++b, x += 32, codes += 32) {
    float extreme = 0.0F;
    for (int i = 0; i < 32; ++i) {
      if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
    }
    d[b] = extreme / static_cast<float>(-n);
    const float inverse = absmax_inverse(d[b]);
    if (inverse == 0.0F && extreme != 0.0F) {
      std::fill_n(codes, 32, std::uint8_t{0});
      continue;
    }
    for (int i = 0; i < 32; ++i) {
      codes[i] = static_cast<std::uint8_t>(
          std::min(2 * n - 1, static_cast<int>(x[i] * inverse + half_up)));
    }
  }
}

}  // namespace lq::kernels::detail
