// The steps of affine_search.h with vectors: lanes of a vector are sub-blocks. Products and sums
// stay separate (no fused multiply-add), because SSE4 has none and the bytes must be equal.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/affine_simd.cpp"
#include <algorithm>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/affine_search.h"
#include "common/kernels/target.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kAffineLanes>;
using V = hn::Vec<D>;
constexpr D kTag;

HWY_INLINE V get(const AffineLanes& lanes, size_t g) { return hn::Load(kTag, lanes.v + g); }
HWY_INLINE void put(V value, AffineLanes& lanes, size_t g) { hn::Store(value, kTag, lanes.v + g); }

HWY_INLINE V code(V y, V offset, V inverse, V max_code) {
  const V scaled = hn::Mul(hn::Add(y, offset), inverse);
  return hn::Round(hn::Min(hn::Max(scaled, hn::Zero(kTag)), max_code));
}

// 1 / value, or 0 where the value is not positive.
HWY_INLINE V inverse_or_zero(V value) {
  const auto positive = hn::Gt(value, hn::Zero(kTag));
  const V safe = hn::IfThenElse(positive, value, hn::Set(kTag, 1.0F));
  return hn::IfThenElseZero(positive, hn::Div(hn::Set(kTag, 1.0F), safe));
}

void load(const AffineShape& shape, const float* x, const float* const* w, AffineTile& tile) {
  const int n = shape.sub_elems;
  tile.weighted = w != nullptr;
  for (int i = 0; i < n; ++i) {
    for (int s = 0; s < kAffineLanes; ++s) tile.y[i].v[s] = x[s * n + i];
  }
  if (w != nullptr) {
    for (int i = 0; i < n; ++i) {
      for (int s = 0; s < kAffineLanes; ++s) tile.w[i].v[s] = w[s][i];
    }
  }
  const size_t step = hn::Lanes(kTag);
  for (size_t g = 0; g < kAffineLanes; g += step) {
    V low = get(tile.y[0], g), high = low;
    for (int i = 1; i < n; ++i) {
      low = hn::Min(low, get(tile.y[i], g));
      high = hn::Max(high, get(tile.y[i], g));
    }
    if (!shape.free_offset) {
      low = hn::Min(low, hn::Zero(kTag));
    }
    low = hn::Add(low, hn::Zero(kTag));  // -0 becomes 0
    put(low, tile.origin, g);
    put(hn::Add(hn::Sub(high, low), hn::Zero(kTag)), tile.range, g);
    V sum_w = hn::Zero(kTag), sum_wy = hn::Zero(kTag);
    for (int i = 0; i < n; ++i) {
      const V y = hn::Sub(get(tile.y[i], g), low);
      put(y, tile.y[i], g);
      const V wi = w != nullptr ? get(tile.w[i], g) : hn::Set(kTag, 1.0F);
      sum_w = hn::Add(sum_w, wi);
      sum_wy = hn::Add(sum_wy, hn::Mul(wi, y));
    }
    put(sum_w, tile.sum_w, g);
    put(sum_wy, tile.sum_wy, g);
  }
}

// A weight of one is not multiplied with.
template <bool kWeighted>
HWY_INLINE V weigh(const AffineLanes& w, V value, size_t g) {
  if constexpr (kWeighted) return hn::Mul(get(w, g), value);
  return value;
}

template <bool kWeighted>
void search_tile(const AffineShape& shape, const AffineTile& tile,
                 const AffineCandidates& candidates, AffineFit& fit) {
  const V max_code = hn::Set(kTag, shape.max_code);
  const V zero = hn::Zero(kTag), two = hn::Set(kTag, 2.0F);
  const size_t step = hn::Lanes(kTag);
  for (size_t g = 0; g < kAffineLanes; g += step) {
    const V range = get(tile.range, g);
    const V lowest = shape.free_offset ? hn::Set(kTag, -3.0e38F) : get(tile.origin, g);
    const V sum_w = get(tile.sum_w, g), sum_wy = get(tile.sum_wy, g);
    V best = hn::Set(kTag, 0.0F), scale = zero, offset = zero, best_offset = zero;
    for (int k = 0; k < candidates.count; ++k) {
      if (k >= AffineCandidates::kFixed) offset = best_offset;
      const float parts = candidates.parts(k, shape.max_code);
      const V inverse = hn::Mul(hn::Set(kTag, parts), inverse_or_zero(hn::Add(range, offset)));
      V wq = zero, wqq = zero, wqy = zero;
      for (int i = 0; i < shape.sub_elems; ++i) {
        const V y = get(tile.y[i], g);
        const V q = code(y, offset, inverse, max_code);
        const V wiq = weigh<kWeighted>(tile.w[i], q, g);
        wq = hn::Add(wq, wiq);
        wqq = hn::Add(wqq, hn::Mul(wiq, q));
        wqy = hn::Add(wqy, hn::Mul(wiq, y));
      }
      // Least squares for these codes, the offset at its bound where that is passed or open.
      const V det = hn::Sub(hn::Mul(sum_w, wqq), hn::Mul(wq, wq));
      const V b_part = hn::Sub(hn::Mul(wq, wqy), hn::Mul(wqq, sum_wy));
      const V flat = hn::Mul(hn::Set(kTag, kFlat), hn::Mul(sum_w, wqq));
      const auto below = hn::Or(hn::Le(det, flat), hn::Lt(b_part, hn::Mul(lowest, det)));
      const V inv = inverse_or_zero(hn::IfThenElse(below, wqq, det));
      const V a_part = hn::IfThenElse(below, hn::Add(wqy, hn::Mul(lowest, wq)),
                                      hn::Sub(hn::Mul(sum_w, wqy), hn::Mul(wq, sum_wy)));
      const V a = hn::Mul(a_part, inv);
      const V b = hn::IfThenElse(below, lowest, hn::Mul(b_part, inv));
      // How much of sum w y y these codes explain.
      const V linear = hn::Mul(two, hn::Sub(hn::Mul(a, wqy), hn::Mul(b, sum_wy)));
      const V square = hn::Add(hn::Mul(a, hn::Sub(hn::Mul(a, wqq), hn::Mul(two, hn::Mul(b, wq)))),
                               hn::Mul(hn::Mul(b, b), sum_w));
      const V gain = hn::Sub(linear, square);
      const auto better = hn::Gt(gain, best);
      best = hn::IfThenElse(better, gain, best);
      scale = hn::IfThenElse(better, a, scale);
      best_offset = hn::IfThenElse(better, b, best_offset);
    }
    put(scale, fit.scale, g);
    put(best_offset, fit.offset, g);
  }
}

void search(const AffineShape& shape, const AffineTile& tile, const AffineCandidates& candidates,
            AffineFit& fit) {
  if (tile.weighted) {
    search_tile<true>(shape, tile, candidates, fit);
  } else {
    search_tile<false>(shape, tile, candidates, fit);
  }
}

template <bool kWeighted>
void measure_tile(const AffineShape& shape, const AffineTile& tile, const AffineFit& fit,
                  AffineSums& sums) {
  const V max_code = hn::Set(kTag, shape.max_code);
  const size_t step = hn::Lanes(kTag);
  for (size_t g = 0; g < kAffineLanes; g += step) {
    const V a = get(fit.scale, g), b = get(fit.offset, g), inverse = inverse_or_zero(a);
    V err = hn::Zero(kTag), wr = err, wrq = err, wq = err, wqq = err;
    for (int i = 0; i < shape.sub_elems; ++i) {
      const V y = get(tile.y[i], g);
      const V q = code(y, b, inverse, max_code);
      const V r = hn::Sub(hn::Sub(hn::Mul(a, q), b), y);
      const V wir = weigh<kWeighted>(tile.w[i], r, g), wiq = weigh<kWeighted>(tile.w[i], q, g);
      err = hn::Add(err, hn::Mul(wir, r));
      wr = hn::Add(wr, wir);
      wrq = hn::Add(wrq, hn::Mul(wir, q));
      wq = hn::Add(wq, wiq);
      wqq = hn::Add(wqq, hn::Mul(wiq, q));
    }
    put(err, sums.err, g);
    put(wr, sums.wr, g);
    put(wrq, sums.wrq, g);
    put(wq, sums.wq, g);
    put(wqq, sums.wqq, g);
  }
}

void measure(const AffineShape& shape, const AffineTile& tile, const AffineFit& fit,
             AffineSums& sums) {
  if (tile.weighted) {
    measure_tile<true>(shape, tile, fit, sums);
  } else {
    measure_tile<false>(shape, tile, fit, sums);
  }
}

void choose(const AffineTile& tile, float max_field, AffineMoves moves, AffineFields& fields,
            AffineSums& sums) {
  const V zero = hn::Zero(kTag), two = hn::Set(kTag, 2.0F), top = hn::Set(kTag, max_field);
  const size_t step = hn::Lanes(kTag);
  for (size_t g = 0; g < kAffineLanes; g += step) {
    const V d = get(fields.d, g), dmin = get(fields.dmin, g);
    const V sc = get(fields.sub_scale, g), mn = get(fields.sub_min, g);
    const V err = get(sums.err, g), wr = get(sums.wr, g), wrq = get(sums.wrq, g);
    const V wq = get(sums.wq, g), wqq = get(sums.wqq, g), sum_w = get(tile.sum_w, g);
    const V inv_w = inverse_or_zero(sum_w), inv_dmin = inverse_or_zero(dmin);
    V best = hn::Set(kTag, 3.0e38F), best_da = zero, best_db = zero, best_sc = sc, best_mn = mn;
    for (float move = moves.low; move <= moves.high; ++move) {
      const V new_sc = hn::Min(hn::Max(hn::Add(sc, hn::Set(kTag, move)), zero), top);
      const V da = hn::Mul(d, hn::Sub(new_sc, sc));
      const V ideal = hn::Mul(hn::Mul(hn::Add(wr, hn::Mul(da, wq)), inv_w), inv_dmin);
      const V new_mn = hn::Round(hn::Min(hn::Max(hn::Add(mn, ideal), zero), top));
      const V db = hn::Mul(dmin, hn::Sub(new_mn, mn));
      const V linear = hn::Mul(two, hn::Sub(hn::Mul(da, wrq), hn::Mul(db, wr)));
      const V square =
          hn::Add(hn::Mul(da, hn::Sub(hn::Mul(da, wqq), hn::Mul(two, hn::Mul(db, wq)))),
                  hn::Mul(hn::Mul(db, db), sum_w));
      const V total = hn::Add(err, hn::Add(linear, square));
      const auto better = hn::Lt(total, best);
      best = hn::IfThenElse(better, total, best);
      best_da = hn::IfThenElse(better, da, best_da);
      best_db = hn::IfThenElse(better, db, best_db);
      best_sc = hn::IfThenElse(better, new_sc, best_sc);
      best_mn = hn::IfThenElse(better, new_mn, best_mn);
    }
    put(best, sums.err, g);
    put(hn::Sub(hn::Add(wr, hn::Mul(best_da, wq)), hn::Mul(best_db, sum_w)), sums.wr, g);
    put(hn::Sub(hn::Add(wrq, hn::Mul(best_da, wqq)), hn::Mul(best_db, wq)), sums.wrq, g);
    put(best_sc, fields.sub_scale, g);
    put(best_mn, fields.sub_min, g);
  }
}

void codes(const AffineShape& shape, const AffineTile& tile, const AffineFit& fit,
           AffineCodes& out) {
  const V max_code = hn::Set(kTag, shape.max_code);
  const hn::Rebind<std::int32_t, D> int_tag;
  const hn::Rebind<std::uint8_t, D> byte_tag;
  const size_t step = hn::Lanes(kTag);
  for (size_t g = 0; g < kAffineLanes; g += step) {
    const V b = get(fit.offset, g), inverse = inverse_or_zero(get(fit.scale, g));
    for (int i = 0; i < shape.sub_elems; ++i) {
      const V q = code(get(tile.y[i], g), b, inverse, max_code);
      hn::StoreU(hn::DemoteTo(byte_tag, hn::ConvertTo(int_tag, q)), byte_tag, out.q[i] + g);
    }
  }
}

void min_max(const float* x, float max_code, AffineMinMax& blocks) {
  const hn::Rebind<std::int32_t, D> int_tag;
  const hn::Rebind<std::uint8_t, D> byte_tag;
  const size_t step = hn::Lanes(kTag);
  const V top = hn::Set(kTag, max_code), half = hn::Set(kTag, 0.5F);
  for (size_t b = 0; b < kAffineLanes; ++b, x += kAffineMaxElems) {
    V lows = hn::LoadU(kTag, x), highs = lows;
    for (size_t i = step; i < kAffineMaxElems; i += step) {
      const V v = hn::LoadU(kTag, x + i);
      lows = hn::Min(lows, v);
      highs = hn::Max(highs, v);
    }
    float low = hn::GetLane(hn::MinOfLanes(kTag, lows));
    float high = hn::GetLane(hn::MaxOfLanes(kTag, highs));
    if (low == 0.0F) {  // the first zero decides the sign, as in a loop over the elements
      low = *std::find(x, x + kAffineMaxElems, 0.0F);
      if (high == 0.0F) high = low;
    }
    const float scale = (high - low) / max_code;
    const float inverse = scale > kSmallestInvertible ? 1.0F / scale : 0.0F;
    blocks.scale[b] = scale;
    blocks.minimum[b] = low;
    const V origin = hn::Set(kTag, low), factor = hn::Set(kTag, inverse);
    for (size_t i = 0; i < kAffineMaxElems; i += step) {
      const V scaled = hn::Add(hn::Mul(hn::Sub(hn::LoadU(kTag, x + i), origin), factor), half);
      const auto q = hn::ConvertTo(int_tag, hn::Min(scaled, top));
      hn::StoreU(hn::DemoteTo(byte_tag, q), byte_tag, blocks.q[b] + i);
    }
  }
}

}  // namespace

const AffineKernels* affine_table() {
  static constexpr AffineKernels kTable = {load, search, measure, choose, codes, min_max};
  return &kTable;
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {
HWY_EXPORT(affine_table);
const AffineKernels& affine_kernels() {
  return use_reference() ? affine_scalar() : *HWY_DYNAMIC_DISPATCH(affine_table)();
}
}  // namespace lq::kernels
#endif
