#pragma once
// The plain reference of error_sums.h, and what all implementations share.

#include <algorithm>

#include "common/kernels/error_sums.h"

namespace lq::kernels::detail {

/// The sums of one run in their lanes.
struct ErrorLanes {
  alignas(64) float ww[kErrorLanes] = {}, wq[kErrorLanes] = {}, qq[kErrorLanes] = {},
                    diff[kErrorLanes] = {}, diff_sq[kErrorLanes] = {}, max_diff[kErrorLanes] = {};

  void add_to(ErrorSums& sums) const {
    for (std::size_t lane = 0; lane < kErrorLanes; ++lane) {
      sums.ww += double{ww[lane]};
      sums.wq += double{wq[lane]};
      sums.qq += double{qq[lane]};
      sums.diff += double{diff[lane]};
      sums.diff_sq += double{diff_sq[lane]};
      sums.max_diff = std::max(sums.max_diff, max_diff[lane]);
    }
  }
};

void add_error_sums_reference(const float* w, const float* q, std::size_t n, ErrorSums& sums);

}  // namespace lq::kernels::detail
