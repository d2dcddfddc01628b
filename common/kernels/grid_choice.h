#pragma once
// Choice of a group's grid, value = (code - zero) * scale, for many rows at once: by a search over
// ranges, and by least squares with the codes fixed. Columns are as in grid_columns.h, and so are
// the requirements. Scales come out exact in the type that they are stored in.

#include <cstddef>

#include "common/kernels/grid_columns.h"
#include "common/tensor/dtype.h"

namespace lq::kernels {

/// Which grids there are.
struct GridRules {
  int max_code = 15;            // 2^bits - 1
  bool symmetric = true;        // the zero is (max_code + 1) / 2
  bool negative_scales = true;  // of symmetric grids: the extreme value, of either sign, gets the
                                // code 0, which is one step farther out than the last one
  int lowest_zero = 0;          // of asymmetric grids
  tensor::DType scale_type = tensor::DType::kF16;  // or kBF16

  int middle() const { return (max_code + 1) / 2; }
};

/// How far ranges are searched: `n_steps` shares from 1.05 down to `least_share` of the values'
/// range, none (n_steps 0) but the range itself; then `n_polish` rounds of least squares.
struct RangeSearch {
  int n_steps = 40;
  float least_share = 0.5F;
  int n_polish = 2;
};

/// The grids with the least sum of importance_j (w_j - nearest value)^2 that the search meets.
/// `w`: n_columns columns, `stride` floats apart. Where all values are 0, a grid with the smallest
/// scale.
void search_ranges(const float* w, std::size_t stride, const float* importance,
                   std::size_t n_columns, const GridRules& rules, const RangeSearch& search,
                   float* scale, float* zero, std::size_t n);

/// The scale and zero with the least E H E^T that the group's codes allow, other groups fixed;
/// `ones_h_ones` is the sum of all elements of H_gg. With h = g + (old value) H_gg, a = q h, b = 1 h,
/// A = q H_gg q, B = q H_gg 1 and D = 1 H_gg 1, q and z less the middle, the best scale of a zero z is
/// (a - z b) / (A - 2 z B + z^2 D), and lowers E H E^T by (a - z b) times that. Rows that would not
/// gain once the scale is stored keep the old grid. Where one channel outweighs all others, zeros at
/// its code are left out: what remains of the denominator there is rounding.
void refit_grids(const GroupSums& sums, float ones_h_ones, const GridRules& rules,
                 const RowGrids& old_grids, float* scale, float* zero, std::size_t n);

}  // namespace lq::kernels
