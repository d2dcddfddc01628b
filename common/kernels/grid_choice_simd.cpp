// grid_choice.h for every instruction set: a lane per row, each in the order of the reference.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/grid_choice_simd.cpp"
#include <cstdint>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/grid_choice.h"
#include "common/kernels/grid_choice_detail.h"
#include "common/kernels/target.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kRowLanes>;
using Vec = hn::Vec<Floats>;
using Mask = hn::Mask<Floats>;

HWY_INLINE Vec load(const float* x) { return hn::LoadU(Floats(), x); }
HWY_INLINE void store(Vec v, float* x) { hn::StoreU(v, Floats(), x); }
HWY_INLINE Vec set(float x) { return hn::Set(Floats(), x); }

struct Grids {
  Vec scale, zero;
};
HWY_INLINE Grids choose(Mask mask, Grids yes, Grids no) {
  return {hn::IfThenElse(mask, yes.scale, no.scale), hn::IfThenElse(mask, yes.zero, no.zero)};
}

/// Drops `bits` low bits of the mantissa: to nearest, ties to even.
template <int bits>
HWY_INLINE Vec drop_bits(Vec x) {
  const hn::RebindToUnsigned<Floats> words;
  const auto raw = hn::BitCast(words, x);
  const auto odd = hn::And(hn::ShiftRight<bits>(raw), hn::Set(words, 1U));
  const auto up = hn::Add(raw, hn::Add(odd, hn::Set(words, (1U << (bits - 1)) - 1)));
  return hn::BitCast(Floats(), hn::ShiftLeft<bits>(hn::ShiftRight<bits>(up)));
}

HWY_INLINE Vec stored(Vec scale, bool is_f16) {
  if (!is_f16) return drop_bits<16>(scale);
  // Below 2^-14 float16 has steps of 2^-24; from 65520 on it has infinity.
  const Vec fine = hn::Mul(hn::Round(hn::Mul(scale, set(16777216.0F))), set(1.0F / 16777216.0F));
  const Vec usual = drop_bits<13>(scale);
  const Vec magnitude = hn::Abs(scale);
  const Vec infinite = hn::CopySign(hn::Inf(Floats()), scale);
  const Vec finite = hn::IfThenElse(hn::Lt(magnitude, set(1.0F / 16384.0F)), fine, usual);
  return hn::IfThenElse(hn::Ge(magnitude, set(65520.0F)), infinite, finite);
}

struct Moments {
  Vec middle, a, b, A, B, D;

  HWY_INLINE Vec denominator(Vec z) const {
    return hn::Add(hn::Sub(A, hn::Mul(hn::Add(z, z), B)), hn::Mul(hn::Mul(z, z), D));
  }
  HWY_INLINE Vec size(Vec z) const { return hn::Add(A, hn::Mul(hn::Mul(z, z), D)); }
};

struct Loss {
  Vec of_zero, of_scale;
};
HWY_INLINE Loss loss_of(const Moments& m, Grids grid) {
  const Vec z = hn::Sub(grid.zero, m.middle), d = m.denominator(z);
  const Vec numerator = hn::Sub(m.a, hn::Mul(z, m.b));
  const Mask usual = hn::Gt(d, hn::Mul(m.size(z), set(detail::kLeastDenominator)));
  const Vec linear = hn::Mul(numerator, set(2.0F));
  const Vec direct = hn::Mul(grid.scale, hn::Sub(hn::Mul(grid.scale, d), linear));
  const Vec best = hn::Div(numerator, d), miss = hn::Sub(grid.scale, best);
  const Vec missed = hn::Mul(hn::Mul(miss, miss), d);
  return {hn::IfThenElseZero(usual, hn::Neg(hn::Mul(numerator, best))),
          hn::IfThenElse(usual, missed, direct)};
}

HWY_INLINE Grids best_grid(const Moments& m, const GridRules& rules, Grids old) {
  const int first = rules.symmetric ? rules.middle() : rules.lowest_zero;
  const int last = rules.symmetric ? rules.middle() : rules.max_code;
  const bool any_sign = rules.symmetric && rules.negative_scales;
  Vec best = set(-1.0F);
  Grids found = old;
  for (int code = first; code <= last; ++code) {
    const Vec zero = set(static_cast<float>(code)), z = hn::Sub(zero, m.middle);
    const Vec numerator = hn::Sub(m.a, hn::Mul(z, m.b)), denominator = m.denominator(z);
    const Vec scale = hn::Div(numerator, denominator), gain = hn::Mul(numerator, scale);
    const Vec least = hn::Mul(m.size(z), set(detail::kLeastDenominator));
    Mask better = hn::And(hn::Gt(denominator, least), hn::Gt(gain, best));
    if (!any_sign) better = hn::And(better, hn::Gt(numerator, hn::Zero(Floats())));
    best = hn::IfThenElse(better, gain, best);
    found = choose(better, {scale, zero}, found);
  }
  found.scale = stored(found.scale, rules.scale_type == tensor::DType::kF16);
  const Vec magnitude = hn::Abs(found.scale);
  const Mask usable =
      hn::And(hn::Ge(magnitude, set(detail::kLeastScale)), hn::Lt(magnitude, hn::Inf(Floats())));
  return choose(usable, found, old);
}

/// One vector of rows in a group.
struct Rows {
  const float* w;
  std::size_t stride;
  const float* importance;
  std::size_t n;
  float max_code, middle;

  HWY_INLINE Vec at(std::size_t j) const { return load(w + j * stride); }
  HWY_INLINE Vec nearest_code(Vec value, Grids grid, Vec inverse) const {
    const Vec q = hn::Add(hn::Round(hn::Mul(value, inverse)), grid.zero);
    return hn::Min(hn::Max(q, hn::Zero(Floats())), set(max_code));
  }
  HWY_INLINE Vec error_of(Grids grid) const {
    const Vec inverse = hn::Div(set(1.0F), grid.scale);
    Vec error = hn::Zero(Floats());
    for (std::size_t j = 0; j < n; ++j) {
      const Vec value = at(j), q = nearest_code(value, grid, inverse);
      const Vec e = hn::Sub(value, hn::Mul(hn::Sub(q, grid.zero), grid.scale));
      error = hn::Add(error, hn::Mul(hn::Mul(e, e), set(importance[j])));
    }
    return error;
  }
  HWY_INLINE Moments moments_of(Grids grid) const {
    const Vec inverse = hn::Div(set(1.0F), grid.scale), none = hn::Zero(Floats());
    Moments m{set(middle), none, none, none, none, none};
    for (std::size_t j = 0; j < n; ++j) {
      const Vec value = at(j), d = set(importance[j]);
      const Vec q = hn::Sub(nearest_code(value, grid, inverse), m.middle);
      const Vec dq = hn::Mul(d, q);
      m.a = hn::Add(m.a, hn::Mul(dq, value));
      m.b = hn::Add(m.b, hn::Mul(d, value));
      m.A = hn::Add(m.A, hn::Mul(dq, q));
      m.B = hn::Add(m.B, dq);
      m.D = hn::Add(m.D, d);
    }
    return m;
  }
};

HWY_INLINE Grids grid_of_range(Vec lo, Vec hi, float share, float sign, const GridRules& rules) {
  const bool is_f16 = rules.scale_type == tensor::DType::kF16;
  const Vec part = set(share), top = set(static_cast<float>(rules.max_code));
  const Vec middle = set(static_cast<float>(rules.middle()));
  const Vec least = set(detail::kLeastScale), minus_lo = hn::Neg(lo);
  if (!rules.symmetric) {
    const Vec range = hn::Div(hn::Mul(hn::Sub(hi, lo), part), top);
    const Vec scale = stored(hn::Max(range, least), is_f16);
    const Vec zero = hn::Round(hn::Div(hn::Mul(minus_lo, part), scale));
    return {scale, hn::Min(hn::Max(zero, set(static_cast<float>(rules.lowest_zero))), top)};
  }
  Vec scale;
  if (rules.negative_scales) {
    const Vec extreme = hn::IfThenElse(hn::Ge(minus_lo, hi), minus_lo, hn::Neg(hi));
    scale = hn::Mul(hn::Div(hn::Mul(extreme, part), middle), set(sign));
  } else {
    scale = hn::Div(hn::Mul(hn::Mul(hn::Max(minus_lo, hi), set(2.0F)), part), top);
  }
  scale = hn::IfThenElse(hn::Ge(hn::Abs(scale), least), scale, least);
  return {stored(scale, is_f16), middle};
}

HWY_INLINE Grids search_rows(const Rows& rows, const GridRules& rules, const RangeSearch& search) {
  Vec lo = hn::Zero(Floats()), hi = lo;
  for (std::size_t j = 0; j < rows.n; ++j) {
    lo = hn::Min(lo, rows.at(j));
    hi = hn::Max(hi, rows.at(j));
  }
  Grids best = grid_of_range(lo, hi, 1.0F, 1.0F, rules);
  if (search.n_steps == 0) return best;
  Vec least = rows.error_of(best);
  const auto consider = [&](Grids grid) HWY_ATTR {
    const Vec error = rows.error_of(grid);
    const Mask better = hn::Lt(error, least);
    least = hn::IfThenElse(better, error, least);
    best = choose(better, grid, best);
  };
  const bool both_signs = rules.symmetric && rules.negative_scales;
  for (int i = 0; i < search.n_steps; ++i) {
    const float share = detail::kLargestShare - (detail::kLargestShare - search.least_share) *
                                                    static_cast<float>(i) /
                                                    static_cast<float>(search.n_steps - 1);
    consider(grid_of_range(lo, hi, share, 1.0F, rules));
    if (both_signs) consider(grid_of_range(lo, hi, share, -1.0F, rules));
  }
  for (int i = 0; i < search.n_polish; ++i) {
    consider(best_grid(rows.moments_of(best), rules, best));
  }
  return best;
}

void search_ranges_simd(const float* w, std::size_t stride, const float* importance,
                        std::size_t n_columns, const GridRules& rules, const RangeSearch& search,
                        float* scale, float* zero, std::size_t n) {
  for (std::size_t x = 0; x < n; x += hn::Lanes(Floats())) {
    const Rows rows{w + x,
                    stride,
                    importance,
                    n_columns,
                    static_cast<float>(rules.max_code),
                    static_cast<float>(rules.middle())};
    const Grids grid = search_rows(rows, rules, search);
    store(grid.scale, scale + x);
    store(grid.zero, zero + x);
  }
}

void refit_grids_simd(const GroupSums& sums, float ones_h_ones, const GridRules& rules,
                      const RowGrids& old_grids, float* scale, float* zero, std::size_t n) {
  const Vec D = set(ones_h_ones);
  const Vec middle = set(static_cast<float>(rules.middle()));
  for (std::size_t x = 0; x < n; x += hn::Lanes(Floats())) {
    const Grids old{load(old_grids.scale + x), load(old_grids.zero + x)};
    const Vec A = load(sums.q_qh + x), B = load(sums.q_ones + x);
    const Vec z = hn::Sub(old.zero, middle);
    const Vec a = hn::Mul(hn::Sub(A, hn::Mul(B, z)), old.scale);
    const Vec b = hn::Mul(hn::Sub(B, hn::Mul(D, z)), old.scale);
    const Moments m{middle, hn::Add(load(sums.q_g + x), a), hn::Add(load(sums.g + x), b), A, B, D};
    Grids found = best_grid(m, rules, old);
    const Loss before = loss_of(m, old), after = loss_of(m, found);
    const Vec fall =
        hn::Add(hn::Sub(before.of_zero, after.of_zero), hn::Sub(before.of_scale, after.of_scale));
    found = choose(hn::Gt(fall, hn::Zero(Floats())), found, old);
    store(found.scale, scale + x);
    store(found.zero, zero + x);
  }
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {

HWY_EXPORT(search_ranges_simd);
HWY_EXPORT(refit_grids_simd);

void search_ranges(const float* w, std::size_t stride, const float* importance,
                   std::size_t n_columns, const GridRules& rules, const RangeSearch& search,
                   float* scale, float* zero, std::size_t n) {
  if (use_reference()) {
    detail::search_ranges_reference(w, stride, importance, n_columns, rules, search, scale, zero,
                                    n);
  } else {
    HWY_DYNAMIC_DISPATCH(search_ranges_simd)
    (w, stride, importance, n_columns, rules, search, scale, zero, n);
  }
}

void refit_grids(const GroupSums& sums, float ones_h_ones, const GridRules& rules,
                 const RowGrids& old_grids, float* scale, float* zero, std::size_t n) {
  if (use_reference()) {
    detail::refit_grids_reference(sums, ones_h_ones, rules, old_grids, scale, zero, n);
  } else {
    HWY_DYNAMIC_DISPATCH(refit_grids_simd)
    (sums, ones_h_ones, rules, old_grids, scale, zero, n);
  }
}

}  // namespace lq::kernels
#endif  // HWY_ONCE
