// error_sums.h for every instruction set: a vector covers some of the lanes, and goes through a run
// in steps of all of them.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/error_sums_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/error_sums.h"
#include "common/kernels/error_sums_detail.h"
#include "common/kernels/target.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes = hn::CappedTag<float, kErrorLanes>;

/// REQUIRES: n is a multiple of kErrorLanes.
HWY_INLINE void add_run(const float* w, const float* q, std::size_t n, detail::ErrorLanes& lanes) {
  const Lanes d;
  for (std::size_t lane = 0; lane < kErrorLanes; lane += hn::Lanes(d)) {
    auto ww = hn::Zero(d), wq = ww, qq = ww, diff = ww, diff_sq = ww, max_diff = ww;
    for (std::size_t i = lane; i < n; i += kErrorLanes) {
      const auto a = hn::LoadU(d, w + i), b = hn::LoadU(d, q + i);
      const auto c = hn::Sub(b, a);
      ww = hn::Add(ww, hn::Mul(a, a));
      wq = hn::Add(wq, hn::Mul(a, b));
      qq = hn::Add(qq, hn::Mul(b, b));
      diff = hn::Add(diff, c);
      diff_sq = hn::Add(diff_sq, hn::Mul(c, c));
      max_diff = hn::Max(max_diff, hn::Abs(c));
    }
    hn::Store(ww, d, lanes.ww + lane);
    hn::Store(wq, d, lanes.wq + lane);
    hn::Store(qq, d, lanes.qq + lane);
    hn::Store(diff, d, lanes.diff + lane);
    hn::Store(diff_sq, d, lanes.diff_sq + lane);
    hn::Store(max_diff, d, lanes.max_diff + lane);
  }
}

void add_whole_runs(const float* w, const float* q, std::size_t n, ErrorSums& sums) {
  for (std::size_t first = 0; first < n; first += kErrorRun) {
    detail::ErrorLanes lanes;
    add_run(w + first, q + first, kErrorRun, lanes);
    lanes.add_to(sums);
  }
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {

HWY_EXPORT(add_whole_runs);

void add_error_sums(const float* w, const float* q, std::size_t n, ErrorSums& sums) {
  const std::size_t done = use_reference() ? 0 : n / kErrorRun * kErrorRun;
  if (done > 0) HWY_DYNAMIC_DISPATCH(add_whole_runs)(w, q, done, sums);
  sums.n += static_cast<double>(done);
  detail::add_error_sums_reference(w + done, q + done, n - done, sums);
}

}  // namespace lq::kernels
#endif  // HWY_ONCE
