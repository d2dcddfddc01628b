#pragma once
// Steps of the solvers on columns of many rows at once. A column holds one value for each of n rows;
// rows have grids of their own, value = (code - zero) * scale, and never mix. All instruction sets
// give the same bits: a row has a lane of its own.
//
// REQUIRES, everywhere: n is a multiple of kRowLanes; no scale is 0; zeros are whole numbers in
// 0..max_code; no NaN.

#include <cstddef>
#include <cstdint>

namespace lq::kernels {

inline constexpr std::size_t kRowLanes = 16;

/// sum[x] += weights[0] * columns[0][x] + weights[1] * columns[1][x] + ..., in that order; columns
/// are `stride` floats apart.
void add_weighted_columns(const float* columns, std::size_t stride, const float* weights,
                          std::size_t n_columns, float* sum, std::size_t n);

/// The grids of some rows in one group.
struct RowGrids {
  const float* scale = nullptr;  // [n]
  const float* zero = nullptr;   // [n]
  float max_code = 0;
};

/// The codes nearest to `target`, and what they stand for.
void round_to_grid(const float* target, const RowGrids& grids, std::uint8_t* codes, float* values,
                   std::size_t n);

/// A column of codes that coordinate descent may change: E is weight less value, g = (E H) at the
/// column, h = H at the diagonal. The code becomes the one nearest to value + g / h, which is the
/// least of the quadratic along this coordinate.
struct DescentColumn {
  const float* weight = nullptr;
  const float* gradient = nullptr;
  float h = 0;
  std::uint8_t* codes = nullptr;  // changed
  float* error = nullptr;         // E, changed
  float* change = nullptr;        // by how much E has changed
};
void descend_column(const DescentColumn& column, const RowGrids& grids, std::size_t n);

/// What the best scale and zero of one group follow from, with its codes fixed: sums over the
/// group's columns. q is the code less the middle of all codes, which keeps differences of large sums
/// small; `g` and `qh` are columns of (E H) and (q H_gg), `ones_h` column sums of H_gg.
struct GroupSums {
  float* q_g = nullptr;     // sum of q_j g_j
  float* g = nullptr;       // sum of g_j
  float* q_qh = nullptr;    // sum of q_j (q H_gg)_j
  float* q_ones = nullptr;  // sum of q_j (1 H_gg)_j
};
/// Adds one column, of q, to the sums.
void add_group_sums(const float* q, const float* g, const float* qh, float ones_h,
                    const GroupSums& sums, std::size_t n);

/// A column after its group's grids went from `old_grids` to `new_grids` with the codes kept: its E,
/// by how much that changed, and g after all columns of the group have changed so.
struct RegriddedColumn {
  const float* weight = nullptr;
  const float* q = nullptr;  // codes less `middle`
  float middle = 0;
  const float* qh = nullptr;
  float ones_h = 0;
  float* error = nullptr;     // changed
  float* change = nullptr;    // += by how much
  float* gradient = nullptr;  // changed
};
void regrid_column(const RegriddedColumn& column, const RowGrids& old_grids,
                   const RowGrids& new_grids, std::size_t n);

}  // namespace lq::kernels
