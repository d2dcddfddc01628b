#include <cmath>

#include "common/kernels/error_sums_detail.h"

namespace lq::kernels {

void ErrorSums::add(const ErrorSums& other) {
  ww += other.ww;
  wq += other.wq;
  qq += other.qq;
  diff += other.diff;
  diff_sq += other.diff_sq;
  max_diff = std::max(max_diff, other.max_diff);
  n += other.n;
}

namespace detail {

void add_error_sums_reference(const float* w, const float* q, std::size_t n, ErrorSums& sums) {
  for (std::size_t first = 0; first < n; first += kErrorRun) {
    ErrorLanes lanes;
    const std::size_t last = std::min(n, first + kErrorRun);
    for (std::size_t i = first; i < last; ++i) {
      const std::size_t lane = (i - first) % kErrorLanes;
      const float diff = q[i] - w[i];
      lanes.ww[lane] += w[i] * w[i];
      lanes.wq[lane] += w[i] * q[i];
      lanes.qq[lane] += q[i] * q[i];
      lanes.diff[lane] += diff;
      lanes.diff_sq[lane] += diff * diff;
      lanes.max_diff[lane] = std::max(lanes.max_diff[lane], std::fabs(diff));
    }
    lanes.add_to(sums);
  }
  sums.n += static_cast<double>(n);
}

}  // namespace detail
}  // namespace lq::kernels
