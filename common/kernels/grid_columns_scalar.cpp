#include <algorithm>
#include <cmath>

#include "common/kernels/grid_columns_detail.h"

namespace lq::kernels::detail {
namespace {

float nearest_code(float target, float scale, float zero, float max_code) {
  return std::min(std::max(std::nearbyint(target / scale) + zero, 0.0F), max_code);
}

}  // namespace

void add_weighted_columns_reference(const float* columns, std::size_t stride, const float* weights,
                                    std::size_t n_columns, float* sum, std::size_t n) {
  for (std::size_t x = 0; x < n; ++x) {
    float total = sum[x];
    for (std::size_t i = 0; i < n_columns; ++i) total += weights[i] * columns[i * stride + x];
    sum[x] = total;
  }
}

void round_to_grid_reference(const float* target, const RowGrids& grids, std::uint8_t* codes,
                             float* values, std::size_t n) {
  for (std::size_t x = 0; x < n; ++x) {
    const float q = nearest_code(target[x], grids.scale[x], grids.zero[x], grids.max_code);
    codes[x] = static_cast<std::uint8_t>(q);
    values[x] = (q - grids.zero[x]) * grids.scale[x];
  }
}

void descend_column_reference(const DescentColumn& column, const RowGrids& grids, std::size_t n) {
  const float inverse_h = 1.0F / column.h;
  for (std::size_t x = 0; x < n; ++x) {
    const float scale = grids.scale[x], zero = grids.zero[x], g = column.gradient[x];
    const float value = (static_cast<float>(column.codes[x]) - zero) * scale;
    const float q = nearest_code(value + g * inverse_h, scale, zero, grids.max_code);
    const float error = column.weight[x] - (q - zero) * scale;
    column.codes[x] = static_cast<std::uint8_t>(q);
    column.change[x] = error - column.error[x];
    column.error[x] = error;
  }
}

void add_group_sums_reference(const float* q, const float* g, const float* qh, float ones_h,
                              const GroupSums& sums, std::size_t n) {
  for (std::size_t x = 0; x < n; ++x) {
    sums.q_g[x] += q[x] * g[x];
    sums.g[x] += g[x];
    sums.q_qh[x] += q[x] * qh[x];
    sums.q_ones[x] += q[x] * ones_h;
  }
}

void regrid_column_reference(const RegriddedColumn& column, const RowGrids& old_grids,
                             const RowGrids& new_grids, std::size_t n) {
  for (std::size_t x = 0; x < n; ++x) {
    const float scale = new_grids.scale[x], zero = new_grids.zero[x] - column.middle;
    const float old_scale = old_grids.scale[x], old_zero = old_grids.zero[x] - column.middle;
    const float error = column.weight[x] - (column.q[x] - zero) * scale;
    column.change[x] += error - column.error[x];
    column.error[x] = error;
    const float of_codes = (scale - old_scale) * column.qh[x];
    const float of_ones = (scale * zero - old_scale * old_zero) * column.ones_h;
    column.gradient[x] -= of_codes - of_ones;
  }
}

}  // namespace lq::kernels::detail
