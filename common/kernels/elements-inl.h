// Vectors of float32 from and to memory of float32 or bfloat16, for kernels that work on both.
// Included once per instruction set.

#if defined(LQ_KERNELS_ELEMENTS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LQ_KERNELS_ELEMENTS_INL_H
#undef LQ_KERNELS_ELEMENTS_INL_H
#else
#define LQ_KERNELS_ELEMENTS_INL_H
#endif

#include <cstddef>
#include <cstdint>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using FloatVec = hn::Vec<Floats>;

HWY_INLINE FloatVec load(const float* x) { return hn::LoadU(Floats(), x); }
HWY_INLINE FloatVec load(const std::uint16_t* x) {
  const hn::Rebind<std::uint32_t, Floats> words;
  const hn::Rebind<std::uint16_t, Floats> halves;
  return hn::BitCast(Floats(), hn::ShiftLeft<16>(hn::PromoteTo(words, hn::LoadU(halves, x))));
}

HWY_INLINE void store(FloatVec value, float* x) { hn::StoreU(value, Floats(), x); }
/// The nearest bfloat16, ties to even. REQUIRES: no NaN.
HWY_INLINE void store(FloatVec value, std::uint16_t* x) {
  const hn::Rebind<std::uint32_t, Floats> words;
  const hn::Rebind<std::int32_t, Floats> ints;
  const hn::Rebind<std::int16_t, Floats> halves;
  const auto bits = hn::BitCast(words, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1U));
  const auto rounded = hn::Add(hn::Add(bits, odd), hn::Set(words, 0x7FFFU));
  // Shifted as signed integers, so that the saturation of the demotion is of no effect.
  const auto top = hn::ShiftRight<16>(hn::BitCast(ints, rounded));
  hn::StoreU(hn::DemoteTo(halves, top), halves, reinterpret_cast<std::int16_t*>(x));
}

/// The first `n` elements, zeros behind them. REQUIRES: n is less than a vector.
template <class Element>
HWY_INLINE FloatVec load_some(const Element* x, std::size_t n) {
  HWY_ALIGN Element some[hn::MaxLanes(Floats())] = {};
  for (std::size_t i = 0; i < n; ++i) some[i] = x[i];
  return load(some);
}
template <class Element>
HWY_INLINE void store_some(FloatVec value, Element* x, std::size_t n) {
  HWY_ALIGN Element some[hn::MaxLanes(Floats())];
  store(value, some);
  for (std::size_t i = 0; i < n; ++i) x[i] = some[i];
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
