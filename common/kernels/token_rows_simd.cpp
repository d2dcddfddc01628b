// token_rows.h for every instruction set.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/token_rows_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/elements-inl.h"
#include "common/kernels/target.h"
#include "common/kernels/token_rows.h"
#include "common/kernels/token_rows_detail.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {

double sum_of_squares(const float* x, std::size_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, hn::ScalableTag<double>> halves;
  const std::size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = a;
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto low = hn::PromoteTo(d, hn::LoadU(halves, x + i));
    const auto high = hn::PromoteTo(d, hn::LoadU(halves, x + i + lanes));
    a = hn::Add(a, hn::Mul(low, low));
    b = hn::Add(b, hn::Mul(high, high));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b))) +
         detail::sum_of_squares_reference(x + i, n - i);
}

template <class Element>
HWY_INLINE void scale_row_to(const float* x, float scale, const float* weight, std::size_t n,
                             Element* out) {
  const std::size_t lanes = hn::Lanes(Floats());
  const auto by = hn::Set(Floats(), scale);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    store(hn::Mul(hn::Mul(load(x + i), by), load(weight + i)), out + i);
  }
  if (i == n) return;
  const auto rest = hn::Mul(hn::Mul(load_some(x + i, n - i), by), load_some(weight + i, n - i));
  store_some(rest, out + i, n - i);
}

void scale_row(const float* x, float scale, const float* weight, std::size_t n, tensor::DType dtype,
               std::byte* out) {
  if (dtype == tensor::DType::kF32) {
    scale_row_to(x, scale, weight, n, reinterpret_cast<float*>(out));
  } else {
    scale_row_to(x, scale, weight, n, reinterpret_cast<std::uint16_t*>(out));
  }
}

/// Whole vectors of each head; returns how many of `half` were done.
std::size_t rotate_heads(float* heads, std::size_t n_heads, std::size_t half, const float* cos,
                         const float* sin) {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + lanes <= half; i += lanes) {
    const auto c = load(cos + i), s = load(sin + i);
    for (std::size_t head = 0; head < n_heads; ++head) {
      float* const low = heads + head * 2 * half + i;
      const auto a = load(low), b = load(low + half);
      store(hn::Sub(hn::Mul(a, c), hn::Mul(b, s)), low);
      store(hn::Add(hn::Mul(b, c), hn::Mul(a, s)), low + half);
    }
  }
  return i;
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {

HWY_EXPORT(sum_of_squares);
HWY_EXPORT(scale_row);
HWY_EXPORT(rotate_heads);

double sum_of_squares(const float* x, std::size_t n) {
  if (use_reference()) return detail::sum_of_squares_reference(x, n);
  return HWY_DYNAMIC_DISPATCH(sum_of_squares)(x, n);
}

void scale_row(const float* x, float scale, const float* weight, std::size_t n, tensor::DType dtype,
               std::byte* out) {
  if (use_reference()) return detail::scale_row_reference(x, scale, weight, n, dtype, out);
  HWY_DYNAMIC_DISPATCH(scale_row)(x, scale, weight, n, dtype, out);
}

void rotate_heads(float* heads, std::size_t n_heads, std::size_t half, const float* cos,
                  const float* sin) {
  const bool plain = use_reference();
  const std::size_t done =
      plain ? 0 : HWY_DYNAMIC_DISPATCH(rotate_heads)(heads, n_heads, half, cos, sin);
  detail::rotate_heads_reference(heads, n_heads, half, done, cos, sin);
}

}  // namespace lq::kernels
#endif  // HWY_ONCE
