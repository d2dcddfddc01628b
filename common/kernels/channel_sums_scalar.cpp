#include <algorithm>
#include <cmath>

#include "common/kernels/channel_sums_detail.h"
#include "common/kernels/elements.h"

namespace lq::kernels::detail {

void add_channel_sums_reference(tensor::DType dtype, const std::byte* x, std::size_t n_rows,
                                std::size_t row_bytes, std::size_t n_channels,
                                const ChannelSums& sums) {
  for (std::size_t first = 0; first < n_rows; first += kChannelRun) {
    const std::size_t last = std::min(n_rows, first + kChannelRun);
    for (std::size_t channel = 0; channel < n_channels; ++channel) {
      float sum = 0, sum_abs = 0, sum_sq = 0, max_abs = sums.max_abs[channel];
      for (std::size_t row = first; row < last; ++row) {
        const float value = get_element(dtype, x + row * row_bytes, channel);
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
