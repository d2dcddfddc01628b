// The search of sym_search.h, for a vector class `Ops` of any number of lanes. No include guard: it
// is compiled once for the reference and once per instruction set, in the namespace
// LQ_SYM_NAMESPACE.
//
// Rules that keep all targets equal: products and sums stay separate operations, a quotient is a
// true division, sums over lanes are added in one fixed order, rounding is to nearest even.
//
// A candidate scale s of a lane is judged by three sums: with q = clamp(round(x / s)),
//   xq = sum w x q,  qq = sum w q q,   error = sum w x x - 2 s xq + s s qq,
// and the best scale for these q is xq / qq with the gain xq^2 / qq.

namespace LQ_SYM_NAMESPACE {

using lq::kernels::kSymLanes;
using lq::kernels::SymBlocks32;
using lq::kernels::SymSuperBlock;

using lq::kernels::detail::Effort;
using lq::kernels::detail::FormatQ3K;
using lq::kernels::detail::FormatQ4_0;
using lq::kernels::detail::FormatQ5_0;
using lq::kernels::detail::FormatQ6K;

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

// Where candidate k puts the largest magnitude, in codes.
template <bool kWeighted, class Format>
constexpr float reach(int k) {
  constexpr Effort effort = Format::template kEffort<kWeighted>;
  return static_cast<float>(Format::kN) + effort.step * static_cast<float>(k - effort.exact);
}

// The first candidates stay clear of N: no code is cut, and both signs of the scale are one.
template <bool kWeighted, class Format>
constexpr int n_inside() {
  int k = 0;
  while (k < Format::template kEffort<kWeighted>.candidates &&
         reach<kWeighted, Format>(k) < static_cast<float>(Format::kN) - 0.6F) {
    ++k;
  }
  return k;
}

// The sums for an inverse scale that puts every element clear of N.
template <class Ops, bool kWeighted, class Format>
LQ_SYM_INLINE Sums<Ops> sums_inside(const Lanes<Format>& lanes, int lane, typename Ops::V inverse) {
  Sums<Ops> sums{Ops::set(0.0F), Ops::set(0.0F)};
  for (int i = 0; i < Format::kElems; ++i) {
    const auto x = Ops::load(&lanes.x[i][lane]);
    const auto q = Ops::round(Ops::mul(x, inverse));
    const auto wq = kWeighted ? Ops::mul(Ops::load(&lanes.w[i][lane]), q) : q;
    sums.xq = Ops::add(sums.xq, Ops::mul(wq, x));
    sums.qq = Ops::add(sums.qq, Ops::mul(wq, q));
  }
  return sums;
}

template <class Ops>
struct BothSigns {
  Sums<Ops> down, up;  // codes of x / s in -N..N-1, and in -(N-1)..N: those of -s, turned round
};

// kBeyond: elements may lie past N.
template <class Ops, bool kWeighted, bool kBeyond, class Format>
LQ_SYM_INLINE BothSigns<Ops> sums_of_both_signs(const Lanes<Format>& lanes, int lane,
                                                typename Ops::V inverse) {
  const auto n = Ops::set(static_cast<float>(Format::kN));
  const auto top = Ops::set(static_cast<float>(Format::kN - 1));
  const auto zero = Ops::set(0.0F);
  BothSigns<Ops> sums{{zero, zero}, {zero, zero}};
  for (int i = 0; i < Format::kElems; ++i) {
    const auto x = Ops::load(&lanes.x[i][lane]);
    const auto q = Ops::round(Ops::mul(x, inverse));
    auto down = Ops::min(top, q);
    auto up = Ops::max(Ops::sub(zero, top), q);
    if (kBeyond) {
      down = Ops::max(Ops::sub(zero, n), down);
      up = Ops::min(n, up);
    }
    const auto wx = kWeighted ? Ops::load(&lanes.w[i][lane]) : x;
    const auto down_w = kWeighted ? Ops::mul(wx, down) : down;
    const auto up_w = kWeighted ? Ops::mul(wx, up) : up;
    sums.down.xq = Ops::add(sums.down.xq, Ops::mul(down_w, x));
    sums.down.qq = Ops::add(sums.down.qq, Ops::mul(down_w, down));
    sums.up.xq = Ops::sub(sums.up.xq, Ops::mul(up_w, x));
    sums.up.qq = Ops::add(sums.up.qq, Ops::mul(up_w, up));
  }
  return sums;
}

// The element of each lane that weighs most, by w x x; 0 in silent ones.
template <class Ops, class Format>
LQ_SYM_INLINE typename Ops::V heaviest(const Lanes<Format>& lanes, int lane) {
  auto most = Ops::set(0.0F);
  auto heaviest = Ops::set(0.0F);
  for (int i = 0; i < Format::kElems; ++i) {
    const auto x = Ops::load(&lanes.x[i][lane]);
    const auto weight = Ops::mul(Ops::mul(x, x), Ops::load(&lanes.w[i][lane]));
    const auto larger = Ops::gt(weight, most);
    most = Ops::select(larger, weight, most);
    heaviest = Ops::select(larger, x, heaviest);
  }
  return heaviest;
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
// -N (or on N, which the clamp cuts to N - 1), and those that put the heaviest element on a low
// code: where one weight outdoes all others of a lane, its element must not round to zero, and
// larger elements are better cut.
template <class Ops, bool kWeighted, class Format>
LQ_SYM_INLINE void free_scales(Lanes<Format>& lanes) {
  const auto zero = Ops::set(0.0F);
  constexpr Effort effort = Format::template kEffort<kWeighted>;
  constexpr bool kBeyond =
      reach<kWeighted, Format>(effort.candidates - 1) > static_cast<float>(Format::kN) + 0.4F;
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
    const auto consider = [&](const Sums<Ops>& sums, float favour = 1.0F) {
      const auto usable = Ops::gt(sums.qq, zero);
      const auto scale = Ops::div(sums.xq, Ops::select(usable, sums.qq, Ops::set(1.0F)));
      const auto gain = Ops::mul(sums.xq, scale);
      const auto better = Ops::gt(Ops::mul(gain, Ops::set(favour)), best_gain);
      best_gain = Ops::select(better, gain, best_gain);
      best_scale = Ops::select(better, scale, best_scale);
      best_qq = Ops::select(better, sums.qq, best_qq);
    };
    int k = 0;
    for (; k < n_inside<kWeighted, Format>(); ++k) {
      const auto inverse = Ops::mul(unit, Ops::set(reach<kWeighted, Format>(k)));
      consider(sums_inside<Ops, kWeighted>(lanes, lane, inverse));
    }
    for (; k < effort.candidates; ++k) {
      if (k == effort.exact) continue;
      const auto inverse = Ops::mul(unit, Ops::set(reach<kWeighted, Format>(k)));
      const auto sums = sums_of_both_signs<Ops, kWeighted, kBeyond>(lanes, lane, inverse);
      consider(sums.down);
      consider(sums.up);
    }
    if constexpr (effort.heavy_codes > 0) {
      // Weights are at least 2^-40, so no element is more than 2^20 times the heaviest.
      const auto heavy = Ops::select(loud, heaviest<Ops>(lanes, lane), zero);
      const auto code_one = inverse_of<Ops>(heavy);
      for (int code = 1; code <= effort.heavy_codes; ++code) {
        const auto inverse = Ops::mul(code_one, Ops::set(static_cast<float>(code)));
        const auto sums = sums_of_both_signs<Ops, kWeighted, true>(lanes, lane, inverse);
        consider(sums.down);
        consider(sums.up);
      }
    }
    // The largest magnitude on -N itself wins ties: for one outlier, or values all alike, that scale
    // is exact in float16 as well.
    constexpr float kTie = 1.0F + 0x1p-21F;
    const auto inverse = Ops::mul(unit, Ops::set(static_cast<float>(Format::kN)));
    consider(sums_at<Ops, kWeighted>(lanes, lane, inverse), kTie);
    Ops::store(best_scale, &lanes.scale[lane]);
    Ops::store(best_qq, &lanes.qq[lane]);
  }
}

// The sum of all lanes: halves are added until one value is left. Destroys `values`.
LQ_SYM_INLINE float sum_lanes(float* values) {
  for (int l = 0; l < 8; ++l) values[l] += values[l + 8];
  for (int l = 0; l < 4; ++l) values[l] += values[l + 4];
  for (int l = 0; l < 2; ++l) values[l] += values[l + 2];
  return values[0] + values[1];
}

// The key of least value of each pair of halves, and so on; the first of equal ones.
template <int kHalf>
LQ_SYM_INLINE void halve_to_least(float* values, float* keys) {
  for (int l = 0; l < kHalf; ++l) {
    const bool second = values[l + kHalf] < values[l];
    values[l] = second ? values[l + kHalf] : values[l];
    keys[l] = second ? keys[l + kHalf] : keys[l];
  }
}

LQ_SYM_INLINE float key_of_least(float* values, float* keys) {
  halve_to_least<8>(values, keys);
  halve_to_least<4>(values, keys);
  halve_to_least<2>(values, keys);
  halve_to_least<1>(values, keys);
  return keys[0];
}

// A float16 next to v, for |v| up to its largest one: above the denormals 11 bits are cut off by
// Veltkamp's method, among them a sum leaves whole multiples of the smallest.
template <class Ops>
LQ_SYM_INLINE typename Ops::V rounded_to_half(typename Ops::V v) {
  const auto shift = Ops::set(0.75F);  // its last bit is 2^-24
  const auto denormal = Ops::sub(Ops::add(v, shift), shift);
  const auto wide = Ops::mul(v, Ops::set(8193.0F));  // 2^13 + 1
  const auto normal = Ops::sub(wide, Ops::sub(wide, v));
  return Ops::select(Ops::gt(Ops::set(0x1p-14F), Ops::abs(v)), denormal, normal);
}

// The d for which the free scales round best. The largest of them lands between the lower end of
// the field's range and 7/8 of it, at 16 places: here the lanes are those candidates. Rounding is
// judged to first order: the codes stay, so a sub-block loses (rounded - free)^2 * sum w q q. Zero
// when all sub-blocks are silent.
template <class Ops, class Format>
LQ_SYM_INLINE float first_d(const Lanes<Format>& lanes) {
  alignas(64) float places[kSymLanes];
  alignas(64) float steps[kSymLanes];
  alignas(64) float costs[kSymLanes];
  for (int l = 0; l < kSymLanes; ++l) {
    steps[l] = lanes.scale[l];
    costs[l] = -LQ_SYM_ABS(lanes.scale[l]);
  }
  const float largest = key_of_least(costs, steps);
  if (largest == 0.0F) return 0.0F;
  for (int k = 0; k < kSymLanes; ++k) {
    places[k] = static_cast<float>(Format::kScaleLo) * (1.0F - static_cast<float>(k) / 128.0F);
  }
  const auto lo = Ops::set(static_cast<float>(Format::kScaleLo));
  const auto hi = Ops::set(static_cast<float>(Format::kScaleHi));
  for (int k = 0; k < kSymLanes; k += Ops::kWidth) {
    const auto step = rounded_to_half<Ops>(Ops::div(Ops::set(largest), Ops::load(places + k)));
    const auto inverse = inverse_of<Ops>(step);
    auto cost = Ops::set(0.0F);
    for (int l = 0; l < kSymLanes; ++l) {
      const auto scale = Ops::set(lanes.scale[l]);
      const auto field = Ops::round(Ops::min(hi, Ops::max(lo, Ops::mul(scale, inverse))));
      const auto off = Ops::sub(Ops::mul(field, step), scale);
      cost = Ops::add(cost, Ops::mul(Ops::mul(off, off), Ops::set(lanes.qq[l])));
    }
    Ops::store(step, steps + k);
    Ops::store(cost, costs + k);
  }
  return key_of_least(costs, steps);
}

// The best integer scale of each lane so far, with its sums and error.
template <class Ops>
struct Fit {
  typename Ops::V error, field, xq, qq;
};

// Tries the integer scales centre + offsets, side by side: the additions of one sum are a chain.
template <class Ops, bool kWeighted, int kTried, class Format>
LQ_SYM_INLINE void try_fields(const Lanes<Format>& lanes, int lane, typename Ops::V step,
                              typename Ops::V centre, const int (&offsets)[kTried],
                              Fit<Ops>& best) {
  const auto zero = Ops::set(0.0F);
  const auto field_lo = Ops::set(static_cast<float>(Format::kScaleLo));
  const auto field_hi = Ops::set(static_cast<float>(Format::kScaleHi));
  const auto lo = Ops::set(static_cast<float>(-Format::kN));
  const auto hi = Ops::set(static_cast<float>(Format::kN - 1));
  typename Ops::V field[kTried], scale[kTried], inverse[kTried], xq[kTried], qq[kTried];
  for (int k = 0; k < kTried; ++k) {
    const auto offset = Ops::set(static_cast<float>(offsets[k]));
    field[k] = Ops::min(field_hi, Ops::max(field_lo, Ops::add(centre, offset)));
    scale[k] = Ops::mul(field[k], step);
    inverse[k] = inverse_of<Ops>(scale[k]);
    xq[k] = qq[k] = zero;
  }
  for (int i = 0; i < Format::kElems; ++i) {
    const auto x = Ops::load(&lanes.x[i][lane]);
    for (int k = 0; k < kTried; ++k) {
      const auto q = Ops::round(Ops::min(hi, Ops::max(lo, Ops::mul(x, inverse[k]))));
      const auto wq = kWeighted ? Ops::mul(Ops::load(&lanes.w[i][lane]), q) : q;
      xq[k] = Ops::add(xq[k], Ops::mul(wq, x));
      qq[k] = Ops::add(qq[k], Ops::mul(wq, q));
    }
  }
  for (int k = 0; k < kTried; ++k) {
    // scale * (scale * qq - 2 xq)
    const auto error =
        Ops::mul(scale[k], Ops::sub(Ops::mul(scale[k], qq[k]), Ops::add(xq[k], xq[k])));
    const auto better = Ops::gt(best.error, error);
    best.error = Ops::select(better, error, best.error);
    best.field = Ops::select(better, field[k], best.field);
    best.xq = Ops::select(better, xq[k], best.xq);
    best.qq = Ops::select(better, qq[k], best.qq);
  }
}

// For a given d, the best integer scale of each lane within kWindow of the present guess, judged by
// the codes that it gives. Fills fields, error and the sums. Returns the total error.
template <class Ops, bool kWeighted, int kWindow, class Format>
LQ_SYM_INLINE float fit_fields(Lanes<Format>& lanes, float d, const float* guess) {
  const auto step = Ops::set(d);
  const auto zero = Ops::set(0.0F);
  for (int lane = 0; lane < kSymLanes; lane += Ops::kWidth) {
    const auto centre = Ops::load(guess + lane);
    Fit<Ops> best{zero, zero, zero, zero};
    try_fields<Ops, kWeighted>(lanes, lane, step, centre, {0, 1, -1}, best);
    if (kWindow == 2) try_fields<Ops, kWeighted>(lanes, lane, step, centre, {2, -2}, best);
    Ops::store(best.error, &lanes.error[lane]);
    Ops::store(best.field, &lanes.fields[lane]);
    Ops::store(best.xq, &lanes.fit_xq[lane]);
    Ops::store(best.qq, &lanes.fit_qq[lane]);
  }
  return sum_lanes(lanes.error);
}

// Least squares over all lanes with codes and integer scales kept.
template <class Format>
LQ_SYM_INLINE float refit_d(const Lanes<Format>& lanes, float d) {
  alignas(64) float numerators[kSymLanes];
  alignas(64) float denominators[kSymLanes];
  for (int l = 0; l < kSymLanes; ++l) {
    numerators[l] = lanes.fields[l] * lanes.fit_xq[l];
    denominators[l] = lanes.fields[l] * lanes.fields[l] * lanes.fit_qq[l];
  }
  const float numerator = sum_lanes(numerators);
  const float denominator = sum_lanes(denominators);
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
  // 1.5 * 2^23 and N: the sum is rounded to a whole number, even on ties, and its lowest bits are
  // the code.
  const auto shift = Ops::set(12582912.0F + static_cast<float>(Format::kN));
  for (int l = 0; l < n_lanes; ++l, x += Format::kElems, codes += Format::kElems) {
    const auto inverse = Ops::set(inverses[l]);
    for (int i = 0; i < Format::kElems; i += Ops::kWidth) {
      const auto q = Ops::min(hi, Ops::max(lo, Ops::mul(Ops::load_any(x + i), inverse)));
      Ops::store_low_bytes(Ops::add(q, shift), codes + i);
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
    constexpr Effort effort = Format::template kEffort<kWeighted>;
    float best = fit_fields<Ops, kWeighted, effort.window>(lanes, d, fields);
    for (int l = 0; l < kSymLanes; ++l) fields[l] = lanes.fields[l];
    for (int round = 0; round < effort.refits; ++round) {
      const float refit = refit_d(lanes, d);
      if (refit == 0.0F || refit == d) break;
      const float error = fit_fields<Ops, kWeighted, 1>(lanes, refit, fields);
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
