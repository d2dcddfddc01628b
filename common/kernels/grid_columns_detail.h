#pragma once
// The plain reference of grid_columns.h.

#include "common/kernels/grid_columns.h"

namespace lq::kernels::detail {

void add_weighted_columns_reference(const float* columns, std::size_t stride, const float* weights,
                                    std::size_t n_columns, float* sum, std::size_t n);
void round_to_grid_reference(const float* target, const RowGrids& grids, std::uint8_t* codes,
                             float* values, std::size_t n);
void descend_column_reference(const DescentColumn& column, const RowGrids& grids, std::size_t n);
void add_group_sums_reference(const float* q, const float* g, const float* qh, float ones_h,
                              const GroupSums& sums, std::size_t n);
void regrid_column_reference(const RegriddedColumn& column, const RowGrids& old_grids,
                             const RowGrids& new_grids, std::size_t n);

}  // namespace lq::kernels::detail
