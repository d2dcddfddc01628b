#pragma once
// The plain reference of token_rows.h.

#include <cstddef>

#include "common/tensor/dtype.h"

namespace lq::kernels::detail {

double sum_of_squares_reference(const float* x, std::size_t n);
void scale_row_reference(const float* x, float scale, const float* weight, std::size_t n,
                         tensor::DType dtype, std::byte* out);
/// The pairs from `first` on.
void rotate_heads_reference(float* heads, std::size_t n_heads, std::size_t half, std::size_t first,
                            const float* cos, const float* sin);

}  // namespace lq::kernels::detail
