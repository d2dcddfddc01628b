#include <algorithm>
#include <cmath>

#include "common/kernels/grid_choice_detail.h"
#include "common/tensor/convert.h"

namespace lq::kernels::detail {
namespace {

struct Grid {
  float scale = 0, zero = 0;
};

float stored(float scale, tensor::DType type) {
  return type == tensor::DType::kF16 ? tensor::f16_to_f32(tensor::f32_to_f16(scale))
                                     : tensor::bf16_to_f32(tensor::f32_to_bf16(scale));
}

/// What the best grid of fixed codes follows from: codes and zeros less the middle of all codes.
struct Moments {
  float middle = 0;
  float a = 0, b = 0, A = 0, B = 0, D = 0;  // as grid_choice.h names them

  float denominator(float z) const { return (A - (z + z) * B) + z * z * D; }
  /// How large its terms are.
  float size(float z) const { return A + z * z * D; }
};

/// The quadratic, less what does not depend on the grid, as what its zero cannot avoid and what the
/// scale misses of that: scales of the same zero are told apart however close they are.
struct Loss {
  float of_zero = 0, of_scale = 0;
};
Loss loss_of(const Moments& m, Grid grid) {
  const float z = grid.zero - m.middle, numerator = m.a - z * m.b, d = m.denominator(z);
  if (!(d > m.size(z) * kLeastDenominator)) {
    return {0, grid.scale * (grid.scale * d - numerator * 2.0F)};
  }
  const float best = numerator / d, miss = grid.scale - best;
  return {-(numerator * best), miss * miss * d};
}

/// The old grid where none is better.
Grid best_grid(const Moments& m, const GridRules& rules, Grid old) {
  const int first = rules.symmetric ? rules.middle() : rules.lowest_zero;
  const int last = rules.symmetric ? rules.middle() : rules.max_code;
  float best = -1;
  Grid found = old;
  for (int code = first; code <= last; ++code) {
    const auto zero = static_cast<float>(code);
    const float z = zero - m.middle;
    const float numerator = m.a - z * m.b, denominator = m.denominator(z);
    if (!(denominator > m.size(z) * kLeastDenominator)) continue;
    if (!(rules.symmetric && rules.negative_scales) && !(numerator > 0)) continue;
    const float scale = numerator / denominator, gain = numerator * scale;
    if (gain > best) {
      best = gain;
      found = {scale, zero};
    }
  }
  found.scale = stored(found.scale, rules.scale_type);
  const bool usable = std::fabs(found.scale) >= kLeastScale && std::isfinite(found.scale);
  return usable ? found : old;
}

/// The values of one row in a group.
struct Row {
  const float* w;
  std::size_t stride;
  const float* importance;
  std::size_t n;

  float at(std::size_t j) const { return w[j * stride]; }
};

float nearest_code(float w, Grid grid, float inverse, float max_code) {
  return std::min(std::max(std::nearbyint(w * inverse) + grid.zero, 0.0F), max_code);
}

float error_of(const Row& row, Grid grid, float max_code) {
  const float inverse = 1.0F / grid.scale;
  float error = 0;
  for (std::size_t j = 0; j < row.n; ++j) {
    const float q = nearest_code(row.at(j), grid, inverse, max_code);
    const float e = row.at(j) - (q - grid.zero) * grid.scale;
    error += e * e * row.importance[j];
  }
  return error;
}

Moments moments_of(const Row& row, Grid grid, const GridRules& rules) {
  const float inverse = 1.0F / grid.scale, max_code = static_cast<float>(rules.max_code);
  Moments m{static_cast<float>(rules.middle())};
  for (std::size_t j = 0; j < row.n; ++j) {
    const float q = nearest_code(row.at(j), grid, inverse, max_code) - m.middle;
    const float d = row.importance[j];
    const float dq = d * q, dw = d * row.at(j);
    m.a += dq * row.at(j);
    m.b += dw;
    m.A += dq * q;
    m.B += dq;
    m.D += d;
  }
  return m;
}

/// The grid of a share of the range lo..hi; `sign` turns the scale of a signed one around.
Grid grid_of_range(float lo, float hi, float share, float sign, const GridRules& rules) {
  const auto top = static_cast<float>(rules.max_code), middle = static_cast<float>(rules.middle());
  if (!rules.symmetric) {
    const float scale = stored(std::max((hi - lo) * share / top, kLeastScale), rules.scale_type);
    const float zero = std::nearbyint(-lo * share / scale);
    return {scale, std::min(std::max(zero, static_cast<float>(rules.lowest_zero)), top)};
  }
  float scale = 0;
  if (rules.negative_scales) {
    scale = (-lo >= hi ? -lo : -hi) * share / middle * sign;
  } else {
    scale = std::max(-lo, hi) * 2.0F * share / top;
  }
  if (!(std::fabs(scale) >= kLeastScale)) scale = kLeastScale;
  return {stored(scale, rules.scale_type), middle};
}

Grid search_row(const Row& row, const GridRules& rules, const RangeSearch& search) {
  const auto top = static_cast<float>(rules.max_code);
  float lo = 0, hi = 0;
  for (std::size_t j = 0; j < row.n; ++j) {
    lo = std::min(lo, row.at(j));
    hi = std::max(hi, row.at(j));
  }
  Grid best = grid_of_range(lo, hi, 1.0F, 1.0F, rules);
  if (search.n_steps == 0) return best;
  float least = error_of(row, best, top);
  const auto consider = [&](Grid grid) {
    const float error = error_of(row, grid, top);
    if (error < least) {
      least = error;
      best = grid;
    }
  };
  const bool both_signs = rules.symmetric && rules.negative_scales;
  for (int i = 0; i < search.n_steps; ++i) {
    const float share = kLargestShare - (kLargestShare - search.least_share) *
                                            static_cast<float>(i) /
                                            static_cast<float>(search.n_steps - 1);
    consider(grid_of_range(lo, hi, share, 1.0F, rules));
    if (both_signs) consider(grid_of_range(lo, hi, share, -1.0F, rules));
  }
  for (int i = 0; i < search.n_polish; ++i) {
    consider(best_grid(moments_of(row, best, rules), rules, best));
  }
  return best;
}

}  // namespace

void search_ranges_reference(const float* w, std::size_t stride, const float* importance,
                             std::size_t n_columns, const GridRules& rules,
                             const RangeSearch& search, float* scale, float* zero, std::size_t n) {
  for (std::size_t x = 0; x < n; ++x) {
    const Grid grid = search_row({w + x, stride, importance, n_columns}, rules, search);
    scale[x] = grid.scale;
    zero[x] = grid.zero;
  }
}

void refit_grids_reference(const GroupSums& sums, float ones_h_ones, const GridRules& rules,
                           const RowGrids& old_grids, float* scale, float* zero, std::size_t n) {
  for (std::size_t x = 0; x < n; ++x) {
    const Grid old{old_grids.scale[x], old_grids.zero[x]};
    const auto middle = static_cast<float>(rules.middle());
    const float A = sums.q_qh[x], B = sums.q_ones[x], D = ones_h_ones, z = old.zero - middle;
    const Moments m{
        middle, sums.q_g[x] + (A - B * z) * old.scale, sums.g[x] + (B - D * z) * old.scale, A, B,
        D};
    Grid found = best_grid(m, rules, old);
    const Loss before = loss_of(m, old), after = loss_of(m, found);
    const float fall = (before.of_zero - after.of_zero) + (before.of_scale - after.of_scale);
    if (!(fall > 0)) found = old;
    scale[x] = found.scale;
    zero[x] = found.zero;
  }
}

}  // namespace lq::kernels::detail
