#pragma once
// The plain reference of grid_choice.h.

#include "common/kernels/grid_choice.h"

namespace lq::kernels::detail {

/// Below, a scale would round to nothing.
inline constexpr float kLeastScale = 1e-7F;
/// Of the ranges that are tried.
inline constexpr float kLargestShare = 1.05F;
/// Where one channel outweighs all others, denominators are differences of large numbers: below this
/// share of those, rounding is most of one.
inline constexpr float kLeastDenominator = 1e-4F;

void search_ranges_reference(const float* w, std::size_t stride, const float* importance,
                             std::size_t n_columns, const GridRules& rules,
                             const RangeSearch& search, float* scale, float* zero, std::size_t n);
void refit_grids_reference(const GroupSums& sums, float ones_h_ones, const GridRules& rules,
                           const RowGrids& old_grids, float* scale, float* zero, std::size_t n);

}  // namespace lq::kernels::detail
