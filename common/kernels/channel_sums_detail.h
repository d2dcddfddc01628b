#pragma once
// The plain reference of channel_sums.h.

#include "common/kernels/channel_sums.h"

namespace lq::kernels::detail {

void add_channel_sums_reference(tensor::DType dtype, const std::byte* x, std::size_t n_rows,
                                std::size_t row_bytes, std::size_t n_channels,
                                const ChannelSums& sums);

}  // namespace lq::kernels::detail
