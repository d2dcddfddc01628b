// absmax.h for every instruction set. Each element is computed for itself and a maximum does not
// depend on the order, so vectors may run along a block here.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/absmax_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/absmax.h"
#include "common/kernels/absmax_detail.h"
#include "common/kernels/target.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Ints = hn::RebindToSigned<Floats>;

HWY_INLINE float largest_of_block(const float* x) {
  const Floats f;
  auto largest = hn::Abs(hn::LoadU(f, x));
  for (std::size_t i = hn::Lanes(f); i < 32; i += hn::Lanes(f)) {
    largest = hn::Max(largest, hn::Abs(hn::LoadU(f, x + i)));
  }
  return hn::GetLane(hn::MaxOfLanes(f, largest));
}

// The first value of that magnitude, with its sign; a zero is positive.
HWY_INLINE float first_of_magnitude(const float* x, float magnitude) {
  if (magnitude == 0.0F) return 0.0F;
  const Floats f;
  for (std::size_t i = 0; i < 32; i += hn::Lanes(f)) {
    const auto at =
        hn::FindFirstTrue(f, hn::Eq(hn::Abs(hn::LoadU(f, x + i)), hn::Set(f, magnitude)));
    if (at >= 0) return x[i + static_cast<std::size_t>(at)];
  }
  return 0.0F;
}

// Four maxima side by side: one would wait for itself.
float largest_magnitude(const float* x, std::size_t n) {
  const Floats f;
  const std::size_t lanes = hn::Lanes(f);
  auto a = hn::Zero(f), b = a, c = a, d = a;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = hn::Max(a, hn::Abs(hn::LoadU(f, x + i)));
    b = hn::Max(b, hn::Abs(hn::LoadU(f, x + i + lanes)));
    c = hn::Max(c, hn::Abs(hn::LoadU(f, x + i + 2 * lanes)));
    d = hn::Max(d, hn::Abs(hn::LoadU(f, x + i + 3 * lanes)));
  }
  const auto all = hn::Max(hn::Max(a, b), hn::Max(c, d));
  const float rest = detail::largest_magnitude_reference({x + i, n - i});
  const float largest = hn::GetLane(hn::MaxOfLanes(f, all));
  return largest > rest ? largest : rest;
}

void absmax_q8_0(const float* x, std::size_t n_blocks, float* d, std::int8_t* codes) {
  const Floats f;
  const Ints ints;
  const hn::Rebind<std::int8_t, Floats> bytes;
  const auto half = hn::Set(f, 0.5F);
  const auto one = hn::Set(f, 1.0F);
  for (std::size_t b = 0; b < n_blocks; ++b, x += 32, codes += 32) {
    d[b] = largest_of_block(x) / 127.0F;
    const auto inverse = hn::Set(f, detail::absmax_inverse(d[b]));
    for (std::size_t i = 0; i < 32; i += hn::Lanes(f)) {
      // Halves away from zero: x + 0.5 would be rounded itself just below a half, so the fraction
      // is taken off exactly.
      const auto value = hn::Mul(hn::LoadU(f, x + i), inverse);
      const auto magnitude = hn::Abs(value);
      const auto whole = hn::Trunc(magnitude);
      const auto up = hn::IfThenElseZero(hn::Ge(hn::Sub(magnitude, whole), half), one);
      const auto rounded = hn::CopySign(hn::Add(whole, up), value);
      hn::StoreU(hn::DemoteTo(bytes, hn::ConvertTo(ints, rounded)), bytes, codes + i);
    }
  }
}

void absmax_signed(const float* x, std::size_t n_blocks, int n, float* d, std::uint8_t* codes) {
  const Floats f;
  const Ints ints;
  const hn::Rebind<std::uint8_t, Floats> bytes;
  const auto half_up = hn::Set(f, static_cast<float>(n) + 0.5F);
  const auto top = hn::Set(ints, 2 * n - 1);
  for (std::size_t b = 0; b < n_blocks; ++b, x += 32, codes += 32) {
    const float extreme = first_of_magnitude(x, largest_of_block(x));
    d[b] = extreme / static_cast<float>(-n);
    const float inverse = detail::absmax_inverse(d[b]);
    const bool lost = inverse == 0.0F && extreme != 0.0F;
    const auto scale = hn::Set(f, inverse);
    for (std::size_t i = 0; i < 32; i += hn::Lanes(f)) {
      const auto value = hn::Add(hn::Mul(hn::LoadU(f, x + i), scale), half_up);
      const auto code = lost ? hn::Zero(ints) : hn::Min(top, hn::ConvertTo(ints, value));
      hn::StoreU(hn::DemoteTo(bytes, code), bytes, codes + i);
    }
  }
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {

HWY_EXPORT(largest_magnitude);
HWY_EXPORT(absmax_q8_0);
HWY_EXPORT(absmax_signed);

float largest_magnitude(std::span<const float> values) {
  if (use_reference()) return detail::largest_magnitude_reference(values);
  return HWY_DYNAMIC_DISPATCH(largest_magnitude)(values.data(), values.size());
}

void absmax_q8_0(const float* x, std::size_t n_blocks, float* d, std::int8_t* codes) {
  if (use_reference()) return detail::absmax_q8_0_reference(x, n_blocks, d, codes);
  HWY_DYNAMIC_DISPATCH(absmax_q8_0)(x, n_blocks, d, codes);
}

void absmax_signed(const float* x, std::size_t n_blocks, int n, float* d, std::uint8_t* codes) {
  if (use_reference()) return detail::absmax_signed_reference(x, n_blocks, n, d, codes);
  HWY_DYNAMIC_DISPATCH(absmax_signed)(x, n_blocks, n, d, codes);
}

}  // namespace lq::kernels
#endif  // HWY_ONCE
