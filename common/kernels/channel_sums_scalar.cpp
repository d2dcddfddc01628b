#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "common/kernels/channel_sums_detail.h"
#include "common/tensor/convert.h"

namespace lq::kernels::detail {
namespace {

float value_at(tensor::DType dtype, const std::byte* place) {
  if (dtype == tensor::DType::kF32) {
    float value;
    std::memcpy(&value, place, sizeof value);
    return value;
  }
  std::uint16_t bits;
  std::memcpy(&bits, place, sizeof bits);
  return tensor::bf16_to_f32(bits);
}

}  // namespace

void add_channel_sums_reference(tensor::DType dtype, const std::byte* x, std::size_t n_rows,
                                std::size_t row_bytes, std::size_t n_channels,
                                const ChannelSums& sums) {
  const std::size_t element_bytes = dtype == tensor::DType::kF32 ? 4 : 2;
  for (std::size_t first = 0; first < n_rows; first += kChannelRun) {
    const std::size_t last = std::min(n_rows, first + kChannelRun);
    for (std::size_t channel = 0; channel < n_channels; ++channel) {
      float sum = 0, sum_abs = 0, sum_sq = 0, max_abs = sums.max_abs[channel];
      for (std::size_t row = first; row < last; ++row) {
        const float value = value_at(dtype, x + row * row_bytes + channel * element_bytes);
        sum += value;
        sum_abs += std::fabs(value);
        sum_sq += value * value;
        max_abs = std::max(max_abs, std::fabs(value));
      }
      sums.sum[channel] += double{sum};
      sums.sum_abs[channel] += double{sum_abs};
      sums.sum_sq[channel] += double{sum_sq};
      sums.max_abs[channel] = max_abs;
    }
  }
}

}  // namespace lq::kernels::detail
