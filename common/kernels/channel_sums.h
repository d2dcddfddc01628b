#pragma once
// What calibration keeps of each channel (column) of a block of rows: the sums of x, |x| and x^2,
// and the largest |x|. All instruction sets give the same bits: a channel has a lane of its own.
//
// Sums are float32 over a run of kChannelRun rows and float64 across the runs: the error of a run
// is below 2^-19 of the sum of its magnitudes, and the float64 additions are few.

#include <cstddef>

#include "common/tensor/dtype.h"

namespace lq::kernels {

inline constexpr std::size_t kChannelRun = 32;

/// Where the sums are, an element per channel.
struct ChannelSums {
  double* sum = nullptr;
  double* sum_abs = nullptr;
  double* sum_sq = nullptr;
  float* max_abs = nullptr;
};

/// Adds rows to `sums`: `n_channels` values of each, `row_bytes` between the beginnings of two.
/// Runs begin anew with each call: blocks of a multiple of kChannelRun rows give, one after the
/// other, what one call with all of them gives. Calls for different channels of the same rows may
/// run at the same time.
/// REQUIRES: `dtype` is kF32 or kBF16 and `x` is aligned to it; no NaN among the values.
void add_channel_sums(tensor::DType dtype, const std::byte* x, std::size_t n_rows,
                      std::size_t row_bytes, std::size_t n_channels, const ChannelSums& sums);

}  // namespace lq::kernels
