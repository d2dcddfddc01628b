// exp_rows.h for every instruction set, with Highway's exponential (1 unit in the last place).

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/exp_rows_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/elements-inl.h"
#include "common/kernels/exp_rows.h"
#include "common/kernels/exp_rows_detail.h"
#include "common/kernels/target.h"
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {

float largest_value(const float* x, std::size_t n) {
  const std::size_t lanes = hn::Lanes(Floats());
  auto a = hn::Set(Floats(), x[0]), b = a;
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = hn::Max(a, load(x + i));
    b = hn::Max(b, load(x + i + lanes));
  }
  const float most = hn::GetLane(hn::MaxOfLanes(Floats(), hn::Max(a, b)));
  if (i == n) return most;
  const float rest = detail::largest_value_reference(x + i, n - i);
  return rest > most ? rest : most;
}

/// Two sums side by side: one would wait for itself.
template <class Element>
HWY_INLINE float softmax_weights_to(const float* scores, std::size_t n, float largest, float scale,
                                    Element* out) {
  const Floats f;
  const std::size_t lanes = hn::Lanes(f);
  const auto most = hn::Set(f, largest), by = hn::Set(f, scale);
  const auto weight = [&](FloatVec score)
                          HWY_ATTR { return hn::Exp(f, hn::Mul(hn::Sub(score, most), by)); };
  auto sum_a = hn::Zero(f), sum_b = sum_a;
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto a = weight(load(scores + i)), b = weight(load(scores + i + lanes));
    sum_a = hn::Add(sum_a, a);
    sum_b = hn::Add(sum_b, b);
    store(a, out + i);
    store(b, out + i + lanes);
  }
  for (; i < n; i += lanes) {
    const std::size_t rest = HWY_MIN(lanes, n - i);
    const auto a = hn::IfThenElseZero(hn::FirstN(f, rest), weight(load_some(scores + i, rest)));
    sum_a = hn::Add(sum_a, a);
    store_some(a, out + i, rest);
  }
  return hn::GetLane(hn::SumOfLanes(f, hn::Add(sum_a, sum_b)));
}

float softmax_weights(const float* scores, std::size_t n, float largest, float scale,
                      tensor::DType dtype, std::byte* out) {
  return dtype == tensor::DType::kF32
             ? softmax_weights_to(scores, n, largest, scale, reinterpret_cast<float*>(out))
             : softmax_weights_to(scores, n, largest, scale, reinterpret_cast<std::uint16_t*>(out));
}

HWY_INLINE FloatVec silu_product_of(FloatVec gate, FloatVec up) {
  const Floats f;
  // Beyond 88 the exponential is infinite, and the quotient 0 to float32's precision before.
  const auto falling = hn::Exp(f, hn::Min(hn::Neg(gate), hn::Set(f, 88.0F)));
  return hn::Mul(hn::Div(gate, hn::Add(falling, hn::Set(f, 1.0F))), up);
}

template <class Element>
HWY_INLINE void silu_product_to(const float* gate, const float* up, std::size_t n, Element* out) {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    store(silu_product_of(load(gate + i), load(up + i)), out + i);
  }
  if (i == n) return;
  store_some(silu_product_of(load_some(gate + i, n - i), load_some(up + i, n - i)), out + i, n - i);
}

void silu_product(const float* gate, const float* up, std::size_t n, tensor::DType dtype,
                  std::byte* out) {
  if (dtype == tensor::DType::kF32) {
    silu_product_to(gate, up, n, reinterpret_cast<float*>(out));
  } else {
    silu_product_to(gate, up, n, reinterpret_cast<std::uint16_t*>(out));
  }
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {

HWY_EXPORT(largest_value);
HWY_EXPORT(softmax_weights);
HWY_EXPORT(silu_product);

float largest_value(const float* x, std::size_t n) {
  if (use_reference()) return detail::largest_value_reference(x, n);
  return HWY_DYNAMIC_DISPATCH(largest_value)(x, n);
}

float softmax_weights(const float* scores, std::size_t n, float largest, float scale,
                      tensor::DType dtype, std::byte* out) {
  if (use_reference()) {
    return detail::softmax_weights_reference(scores, n, largest, scale, dtype, out);
  }
  return HWY_DYNAMIC_DISPATCH(softmax_weights)(scores, n, largest, scale, dtype, out);
}

void silu_product(const float* gate, const float* up, std::size_t n, tensor::DType dtype,
                  std::byte* out) {
  if (use_reference()) return detail::silu_product_reference(gate, up, n, dtype, out);
  HWY_DYNAMIC_DISPATCH(silu_product)(gate, up, n, dtype, out);
}

}  // namespace lq::kernels
#endif  // HWY_ONCE
