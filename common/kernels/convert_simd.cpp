// Number conversions for every instruction set, in integer arithmetic on the bits where the
// instruction sets differ: all of them give the same result.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/convert_simd.cpp"
#include <cstring>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/convert_detail.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Words = hn::Rebind<std::uint32_t, Floats>;
using Halves = hn::Rebind<std::uint16_t, Floats>;
using WordVec = hn::Vec<Words>;

HWY_INLINE WordVec load_halves(const std::byte* in) {
  const Halves halves;
  HWY_ALIGN std::uint16_t bits[hn::MaxLanes(Halves())];
  std::memcpy(bits, in, sizeof(bits));
  return hn::PromoteTo(Words(), hn::Load(halves, bits));
}

HWY_INLINE void store_halves(WordVec bits, std::byte* out) {
  const Halves halves;
  HWY_ALIGN std::uint16_t low[hn::MaxLanes(Halves())];
  const hn::RebindToSigned<Words> ints;
  // Signed, so that the saturation of the demotion is of no effect.
  const auto extended = hn::ShiftRight<16>(hn::ShiftLeft<16>(hn::BitCast(ints, bits)));
  hn::Store(hn::BitCast(halves, hn::DemoteTo(hn::RebindToSigned<Halves>(), extended)), halves, low);
  std::memcpy(out, low, sizeof(low));
}

// The float16's exponent and mantissa moved into place make a float32 that is 2^112 too small,
// exact for subnormals too.
HWY_INLINE WordVec f16_bits_to_f32_bits(WordVec bits) {
  const Words words;
  const Floats floats;
  const auto magnitude = hn::ShiftLeft<13>(hn::And(bits, hn::Set(words, 0x7FFFU)));
  const auto scaled =
      hn::BitCast(words, hn::Mul(hn::BitCast(floats, magnitude), hn::Set(floats, 0x1p112F)));
  const auto sign = hn::ShiftLeft<16>(hn::And(bits, hn::Set(words, 0x8000U)));
  const auto exponent = hn::Set(words, 0x7C00U);
  const auto special = hn::Eq(hn::And(bits, exponent), exponent);
  const auto ones = hn::IfThenElseZero(special, hn::Set(words, 0x7F800000U));
  return hn::Or(hn::Or(scaled, ones), sign);
}

// Adding a power of two whose last bit is the last bit of the result makes the addition round to
// nearest even; the bounds keep overflow (infinity) and subnormals right.
HWY_INLINE WordVec f32_to_f16_bits(hn::Vec<Floats> value) {
  const Words words;
  const Floats floats;
  const auto bits = hn::BitCast(words, value);
  const auto magnitude =
      hn::Mul(hn::Mul(hn::Abs(value), hn::Set(floats, 0x1p112F)), hn::Set(floats, 0x1p-110F));
  const auto exponent = hn::And(hn::ShiftLeft<1>(bits), hn::Set(words, 0xFF000000U));
  // Signed comparison does, once the top bit is shifted away.
  const auto bias = hn::Max(hn::ShiftRight<1>(exponent), hn::Set(words, 0x71000000U >> 1));
  const auto shifted =
      hn::Add(hn::BitCast(floats, hn::Add(bias, hn::Set(words, 0x07800000U))), magnitude);
  const auto rounded = hn::BitCast(words, shifted);
  const auto exponent_bits = hn::And(hn::ShiftRight<13>(rounded), hn::Set(words, 0x7C00U));
  const auto mantissa_bits = hn::And(rounded, hn::Set(words, 0x0FFFU));
  const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 0x8000U));
  return hn::Or(sign, hn::Add(exponent_bits, mantissa_bits));
}

HWY_INLINE WordVec f32_to_bf16_bits(hn::Vec<Floats> value) {
  const Words words;
  const auto bits = hn::BitCast(words, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1U));
  return hn::ShiftRight<16>(hn::Add(hn::Add(bits, odd), hn::Set(words, 0x7FFFU)));
}

// True when any of n values (a multiple of the vector) has all exponent bits set.
bool any_non_finite(const float* values, std::size_t n) {
  const Words words;
  const auto exponent = hn::Set(words, 0x7F800000U);
  auto found = hn::Zero(words);
  for (std::size_t i = 0; i < n; i += hn::Lanes(words)) {
    const auto bits = hn::BitCast(words, hn::LoadU(Floats(), values + i));
    found = hn::Or(found, hn::VecFromMask(words, hn::Eq(hn::And(bits, exponent), exponent)));
  }
  return !hn::AllTrue(words, hn::Eq(found, hn::Zero(words)));
}

std::size_t widen_f16(const std::byte* in, std::size_t n, float* out) {
  const std::size_t step = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + step <= n; i += step) {
    hn::StoreU(hn::BitCast(Floats(), f16_bits_to_f32_bits(load_halves(in + 2 * i))), Floats(),
               out + i);
  }
  return i;
}

std::size_t widen_bf16(const std::byte* in, std::size_t n, float* out) {
  const std::size_t step = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + step <= n; i += step) {
    hn::StoreU(hn::BitCast(Floats(), hn::ShiftLeft<16>(load_halves(in + 2 * i))), Floats(),
               out + i);
  }
  return i;
}

std::size_t narrow_f16(const float* values, std::size_t n, std::byte* out) {
  const std::size_t step = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + step <= n; i += step) {
    store_halves(f32_to_f16_bits(hn::LoadU(Floats(), values + i)), out + 2 * i);
  }
  return i;
}

std::size_t narrow_bf16(const float* values, std::size_t n, std::byte* out) {
  const std::size_t step = hn::Lanes(Floats());
  std::size_t i = 0;
  for (; i + step <= n; i += step) {
    store_halves(f32_to_bf16_bits(hn::LoadU(Floats(), values + i)), out + 2 * i);
  }
  return i;
}

std::size_t vector_elems() { return hn::Lanes(Floats()); }

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels::detail {

HWY_EXPORT(any_non_finite);
HWY_EXPORT(widen_f16);
HWY_EXPORT(widen_bf16);
HWY_EXPORT(narrow_f16);
HWY_EXPORT(narrow_bf16);
HWY_EXPORT(vector_elems);

bool any_non_finite(const float* values, std::size_t n) {
  return HWY_DYNAMIC_DISPATCH(any_non_finite)(values, n);
}
std::size_t widen_f16(const std::byte* in, std::size_t n, float* out) {
  return HWY_DYNAMIC_DISPATCH(widen_f16)(in, n, out);
}
std::size_t widen_bf16(const std::byte* in, std::size_t n, float* out) {
  return HWY_DYNAMIC_DISPATCH(widen_bf16)(in, n, out);
}
std::size_t narrow_f16(const float* values, std::size_t n, std::byte* out) {
  return HWY_DYNAMIC_DISPATCH(narrow_f16)(values, n, out);
}
std::size_t narrow_bf16(const float* values, std::size_t n, std::byte* out) {
  return HWY_DYNAMIC_DISPATCH(narrow_bf16)(values, n, out);
}
std::size_t vector_elems() { return HWY_DYNAMIC_DISPATCH(vector_elems)(); }

}  // namespace lq::kernels::detail
#endif  // HWY_ONCE
