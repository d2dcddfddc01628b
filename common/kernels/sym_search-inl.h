// The search of sym_search.h, for a vector class `Ops` of any number of lanes. No include guard: it
// is compiled once for the reference and once per instruction set, in the namespace
// LQ_SYM_NAMESPACE.
//
// Rules that keep all targets equal: products and sums stay separate operations, a quotient is a
// true division, sums over lanes are added in lane order, rounding is to nearest even.
//
// A candidate scale s of a lane is judged by three sums: with q = clamp(round(x / s)),
//   xq = sum w x q,  qq = sum w q q,   error = sum w x x - 2 s xq + s s qq,
// and the best scale for these q is xq / qq with the gain xq^2 / qq.

namespace LQ_SYM_NAMESPACE {

using lq::kernels::kSymLanes;
using lq::kernels::SymBlocks32;
using lq::kernels::SymSuperBlock;

// 6-bit codes with 8-bit scales, and 3-bit codes with 6-bit scales.
struct FormatQ6K {
  static constexpr int kElems = 16;
  static constexpr int kN = 32;
  static constexpr int kScaleLo = -128;
  static constexpr int kScaleHi = 127;
  static constexpr int kCandidates = 6;  // inverse scales tried per sign
  static constexpr float kStart = -0.8F, kStep = 0.32F;
  static constexpr int kScaleWindow = 2;  // integer scales tried on each side
};
struct FormatQ3K {
  static constexpr int kElems = 16;
  static constexpr int kN = 4;
  static constexpr int kScaleLo = -32;
  static constexpr int kScaleHi = 31;
  static constexpr int kCandidates = 7;
  static constexpr float kStart = -1.6F, kStep = 0.32F;
  static constexpr int kScaleWindow = 2;
};
struct FormatQ4_0 {
  static constexpr int kElems = 32;
  static constexpr int kN = 8;
  static constexpr int kCandidates = 10;
  static constexpr float kStart = -1.5F, kStep = 0.25F;
};
struct FormatQ5_0 {
  static constexpr int kElems = 32;
  static constexpr int kN = 16;
  static constexpr int kCandidates = 10;
  static constexpr float kStart = -1.5F, kStep = 0.25F;
};

// Below this a sub-block is zero: float16 cannot hold its scale.
constexpr float kSilent = 1e-15F;

template <class Format>
struct Lanes {
  alignas(64) float x[Format::kElems][kSymLanes];
  alignas(64) float w[Format::kElems][kSymLanes];
  alignas(64) float scale[kSymLanes];   // best free scale
  alignas(64) float qq[kSymLanes];      // its sum w q q
  alignas(64) float error[kSymLanes];   // of the last fit, without the constant sum w x x
  alignas(64) float fit_xq[kSymLanes];  // sums of the last fit
  alignas(64) float fit_qq[kSymLanes];
  alignas(64) float fields[kSymLanes];  // integer scales of the last fit
};

template <class Ops>
struct Sums {
  typename Ops::V xq, qq;
};

// q for inverse scale `inverse`, and the sums of one group of lanes.
template <class Ops, bool kWeighted, class Format>
LQ_SYM_INLINE Sums<Ops> sums_at(const Lanes<Format>& lanes, int lane, typename Ops::V inverse) {
  const auto lo = Ops::set(static_cast<float>(-Format::kN));
  const auto hi = Ops::set(static_cast<float>(Format::kN - 1));
  Sums<Ops> sums{Ops::set(0.0F), Ops::set(0.0F)};
  for (int i = 0; i < Format::kElems; ++i) {
    const auto x = Ops::load(&lanes.x[i][lane]);
    const auto q = Ops::round(Ops::min(hi, Ops::max(lo, Ops::mul(x, inverse))));
    const auto wq = kWeighted ? Ops::mul(Ops::load(&lanes.w[i][lane]), q) : q;
    sums.xq = Ops::add(sums.xq, Ops::mul(wq, x));
    sums.qq = Ops::add(sums.qq, Ops::mul(wq, q));
  }
  return sums;
}

// 1 / scale, and 0 where the scale is 0: then every code is 0.
template <class Ops>
LQ_SYM_INLINE typename Ops::V inverse_of(typename Ops::V scale) {
  const auto zero = Ops::set(0.0F);
  const auto is_zero = Ops::eq(scale, zero);
  return Ops::select(is_zero, zero,
                     Ops::div(Ops::set(1.0F), Ops::select(is_zero, Ops::set(1.0F), scale)));
}

// The best free scale of each lane: inverse scales around those that put the largest magnitude on
// -N (or on N, which the clamp cuts to N - 1).
template <class Ops, bool kWeighted, class Format>
LQ_SYM_INLINE void free_scales(Lanes<Format>& lanes) {
  const auto zero = Ops::set(0.0F);
  for (int lane = 0; lane < kSymLanes; lane += Ops::kWidth) {
    auto peak = zero;
    auto extreme = zero;
    for (int i = 0; i < Format::kElems; ++i) {
      const auto x = Ops::load(&lanes.x[i][lane]);
      const auto larger = Ops::gt(Ops::abs(x), peak);
      peak = Ops::select(larger, Ops::abs(x), peak);
      extreme = Ops::select(larger, x, extreme);
    }
    const auto loud = Ops::gt(peak, Ops::set(kSilent));
    const auto unit = Ops::select(
        loud, Ops::div(Ops::set(-1.0F), Ops::select(loud, extreme, Ops::set(1.0F))), zero);
    auto best_gain = zero;
    auto best_scale = zero;
    auto best_qq = zero;
    for (int k = 0; k < 2 * Format::kCandidates; ++k) {
      const float reach = static_cast<float>(Format::kN) + Format::kStart +
                          Format::kStep * static_cast<float>(k / 2);
      const auto inverse = Ops::mul(unit, Ops::set(k % 2 == 0 ? reach : -reach));
      const auto sums = sums_at<Ops, kWeighted>(lanes, lane, inverse);
      const auto usable = Ops::gt(sums.qq, zero);
      const auto scale = Ops::div(sums.xq, Ops::select(usable, sums.qq, Ops::set(1.0F)));
      const auto gain = Ops::mul(sums.xq, scale);
      const auto better = Ops::gt(gain, best_gain);
      best_gain = Ops::select(better, gain, best_gain);
      best_scale = Ops::select(better, scale, best_scale);
      best_qq = Ops::select(better, sums.qq, best_qq);
    }
    Ops::store(best_scale, &lanes.scale[lane]);
    Ops::store(best_qq, &lanes.qq[lane]);
  }
}

// In lane order.
LQ_SYM_INLINE float sum_lanes(const float* values) {
  float sum = 0.0F;
  for (int l = 0; l < kSymLanes; ++l) sum += values[l];
  return sum;
}

// The d for which the free scales round best. The largest of them lands between the lower end of
// the field's range and 7/8 of it, at 16 places: here the lanes are those candidates. Rounding is
// judged to first order: the codes stay, so a sub-block loses (rounded - free)^2 * sum w q q. Zero
// when all sub-blocks are silent.
template <class Ops, class Format>
LQ_SYM_INLINE float first_d(const Lanes<Format>& lanes) {
  float largest = 0.0F;
  for (int l = 0; l < kSymLanes; ++l) {
    if (LQ_SYM_ABS(lanes.scale[l]) > LQ_SYM_ABS(largest)) largest = lanes.scale[l];
  }
  if (largest == 0.0F) return 0.0F;
  alignas(64) float places[kSymLanes];
  alignas(64) float costs[kSymLanes];
  for (int k = 0; k < kSymLanes; ++k) {
    places[k] = static_cast<float>(Format::kScaleLo) * (1.0F - static_cast<float>(k) / 128.0F);
  }
  const auto lo = Ops::set(static_cast<float>(Format::kScaleLo));
  const auto hi = Ops::set(static_cast<float>(Format::kScaleHi));
  for (int k = 0; k < kSymLanes; k += Ops::kWidth) {
    const auto place = Ops::load(places + k);
    const auto step = Ops::div(Ops::set(largest), place);
    const auto inverse = Ops::mul(place, Ops::set(1.0F / largest));
    auto cost = Ops::set(0.0F);
    for (int l = 0; l < kSymLanes; ++l) {
      const auto scale = Ops::set(lanes.scale[l]);
      const auto field = Ops::round(Ops::min(hi, Ops::max(lo, Ops::mul(scale, inverse))));
      const auto off = Ops::sub(Ops::mul(field, step), scale);
      cost = Ops::add(cost, Ops::mul(Ops::mul(off, off), Ops::set(lanes.qq[l])));
    }
    Ops::store(cost, costs + k);
  }
  int best = 0;
  for (int k = 1; k < kSymLanes; ++k) {
    if (costs[k] < costs[best]) best = k;
  }
  return lq::kernels::detail::round_to_half(largest / places[best]);
}

// For a given d, the best integer scale of each lane within `window` of the present guess, judged
// by the codes that it gives. Fills fields, error and the sums. Returns the total error.
template <class Ops, bool kWeighted, class Format>
LQ_SYM_INLINE float fit_fields(Lanes<Format>& lanes, float d, const float* guess, int window) {
  const auto step = Ops::set(d);
  const auto lo = Ops::set(static_cast<float>(Format::kScaleLo));
  const auto hi = Ops::set(static_cast<float>(Format::kScaleHi));
  for (int lane = 0; lane < kSymLanes; lane += Ops::kWidth) {
    const auto centre = Ops::min(hi, Ops::max(lo, Ops::load(guess + lane)));
    auto best_error = Ops::set(0.0F);
    auto best_field = best_error;
    auto best_xq = best_error;
    auto best_qq = best_error;
    for (int k = 0; k <= 2 * window; ++k) {
      // 0, 1, -1, 2, -2, ...
      const int offset = k % 2 == 1 ? (k + 1) / 2 : -k / 2;
      const auto field =
          Ops::min(hi, Ops::max(lo, Ops::add(centre, Ops::set(static_cast<float>(offset)))));
      const auto scale = Ops::mul(field, step);
      const auto sums = sums_at<Ops, kWeighted>(lanes, lane, inverse_of<Ops>(scale));
      // scale * (scale * qq - 2 xq)
      const auto error =
          Ops::mul(scale, Ops::sub(Ops::mul(scale, sums.qq), Ops::add(sums.xq, sums.xq)));
      const auto better = Ops::gt(best_error, error);
      best_error = Ops::select(better, error, best_error);
      best_field = Ops::select(better, field, best_field);
      best_xq = Ops::select(better, sums.xq, best_xq);
      best_qq = Ops::select(better, sums.qq, best_qq);
    }
    Ops::store(best_error, &lanes.error[lane]);
    Ops::store(best_field, &lanes.fields[lane]);
    Ops::store(best_xq, &lanes.fit_xq[lane]);
    Ops::store(best_qq, &lanes.fit_qq[lane]);
  }
  return sum_lanes(lanes.error);
}

// Least squares over all lanes with codes and integer scales kept.
template <class Format>
LQ_SYM_INLINE float refit_d(const Lanes<Format>& lanes, float d) {
  float numerator = 0.0F;
  float denominator = 0.0F;
  for (int l = 0; l < kSymLanes; ++l) {
    numerator += lanes.fields[l] * lanes.fit_xq[l];
    denominator += lanes.fields[l] * lanes.fields[l] * lanes.fit_qq[l];
  }
  return denominator > 0.0F ? lq::kernels::detail::round_to_half(numerator / denominator) : d;
}

// Codes of all elements for the chosen scales. Each element for itself, so vectors may run along
// the elements of a sub-block here.
template <class Ops, class Format>
LQ_SYM_INLINE void store_codes(const float* x, const float* scales, int n_lanes,
                               std::uint8_t* codes) {
  alignas(64) float inverses[kSymLanes];
  for (int lane = 0; lane < kSymLanes; lane += Ops::kWidth) {
    Ops::store(inverse_of<Ops>(Ops::load(scales + lane)), inverses + lane);
  }
  const auto lo = Ops::set(static_cast<float>(-Format::kN));
  const auto hi = Ops::set(static_cast<float>(Format::kN - 1));
  for (int l = 0; l < n_lanes; ++l, x += Format::kElems, codes += Format::kElems) {
    const auto inverse = Ops::set(inverses[l]);
    for (int i = 0; i < Format::kElems; i += Ops::kWidth) {
      const auto q =
          Ops::round(Ops::min(hi, Ops::max(lo, Ops::mul(Ops::load_any(x + i), inverse))));
      Ops::store_codes(Ops::sub(q, lo), codes + i);
    }
  }
}

template <class Ops, class Format, bool kWeighted>
LQ_SYM_INLINE void super_block_search(const float* x, [[maybe_unused]] const float* weights,
                                      SymSuperBlock& out) {
  Lanes<Format> lanes;
  const float* rows[kSymLanes];
  for (int l = 0; l < kSymLanes; ++l) rows[l] = x + l * Format::kElems;
  Ops::template transpose<Format::kElems>(rows, lanes.x);
  if (kWeighted) {
    for (int l = 0; l < kSymLanes; ++l) rows[l] = weights + l * Format::kElems;
    Ops::template transpose<Format::kElems>(rows, lanes.w);
  }
  free_scales<Ops, kWeighted>(lanes);
  float d = first_d<Ops>(lanes);
  alignas(64) float fields[kSymLanes];
  for (int l = 0; l < kSymLanes; ++l) fields[l] = 0.0F;
  if (d != 0.0F) {
    for (int lane = 0; lane < kSymLanes; lane += Ops::kWidth) {
      const auto guess = Ops::mul(Ops::load(&lanes.scale[lane]), Ops::set(1.0F / d));
      const auto lo = Ops::set(static_cast<float>(Format::kScaleLo));
      const auto hi = Ops::set(static_cast<float>(Format::kScaleHi));
      Ops::store(Ops::round(Ops::min(hi, Ops::max(lo, guess))), fields + lane);
    }
    float best = fit_fields<Ops, kWeighted>(lanes, d, fields, Format::kScaleWindow);
    for (int l = 0; l < kSymLanes; ++l) fields[l] = lanes.fields[l];
    for (int round = 0; round < 2; ++round) {
      const float refit = refit_d(lanes, d);
      if (refit == 0.0F || refit == d) break;
      const float error = fit_fields<Ops, kWeighted>(lanes, refit, fields, 1);
      if (!(error < best)) break;
      best = error;
      d = refit;
      for (int l = 0; l < kSymLanes; ++l) fields[l] = lanes.fields[l];
    }
  }
  alignas(64) float scales[kSymLanes];
  for (int l = 0; l < kSymLanes; ++l) {
    out.scales[l] = static_cast<std::int8_t>(fields[l]);
    scales[l] = d * fields[l];
  }
  out.d = lq::kernels::detail::half_bits(d);
  store_codes<Ops, Format>(x, scales, kSymLanes, out.codes);
}

template <class Ops, class Format>
LQ_SYM_INLINE void super_block(const float* x, const float* weights, SymSuperBlock& out) {
  if (weights == nullptr) return super_block_search<Ops, Format, false>(x, weights, out);
  super_block_search<Ops, Format, true>(x, weights, out);
}

// Blocks of 32: the scale is d itself. Refitted and rounded to float16 until that stops helping.
template <class Ops, class Format>
LQ_SYM_INLINE void blocks32(const float* x, const float* const* weights, int n_blocks,
                            SymBlocks32& out) {
  Lanes<Format> lanes;
  // Lanes past the last block repeat it; nothing of them is kept.
  const float* rows[kSymLanes];
  const float* weight_rows[kSymLanes];
  for (int l = 0; l < kSymLanes; ++l) {
    const int block = l < n_blocks ? l : n_blocks - 1;
    rows[l] = x + block * Format::kElems;
    weight_rows[l] = weights[block];
  }
  Ops::template transpose<Format::kElems>(rows, lanes.x);
  Ops::template transpose<Format::kElems>(weight_rows, lanes.w);
  free_scales<Ops, true>(lanes);
  alignas(64) float scales[kSymLanes];
  alignas(64) float best_error[kSymLanes];
  for (int l = 0; l < kSymLanes; ++l) scales[l] = best_error[l] = 0.0F;
  for (int round = 0; round < 3; ++round) {
    for (int l = 0; l < kSymLanes; ++l)
      lanes.scale[l] = lq::kernels::detail::round_to_half(lanes.scale[l]);
    for (int lane = 0; lane < kSymLanes; lane += Ops::kWidth) {
      const auto zero = Ops::set(0.0F);
      const auto scale = Ops::load(&lanes.scale[lane]);
      const auto sums = sums_at<Ops, true>(lanes, lane, inverse_of<Ops>(scale));
      const auto error =
          Ops::mul(scale, Ops::sub(Ops::mul(scale, sums.qq), Ops::add(sums.xq, sums.xq)));
      const auto best = Ops::load(best_error + lane);
      const auto better = Ops::gt(best, error);
      Ops::store(Ops::select(better, error, best), best_error + lane);
      Ops::store(Ops::select(better, scale, Ops::load(scales + lane)), scales + lane);
      const auto usable = Ops::gt(sums.qq, zero);
      const auto refit = Ops::div(sums.xq, Ops::select(usable, sums.qq, Ops::set(1.0F)));
      Ops::store(Ops::select(usable, refit, zero), &lanes.scale[lane]);
    }
  }
  for (int l = 0; l < n_blocks; ++l) out.d[l] = lq::kernels::detail::half_bits(scales[l]);
  store_codes<Ops, Format>(x, scales, n_blocks, out.codes);
}

}  // namespace LQ_SYM_NAMESPACE
