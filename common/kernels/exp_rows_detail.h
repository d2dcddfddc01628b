#pragma once
// The plain reference of exp_rows.h.

#include <cstddef>

#include "common/tensor/dtype.h"

namespace lq::kernels::detail {

float largest_value_reference(const float* x, std::size_t n);
float softmax_weights_reference(const float* scores, std::size_t n, float largest, float scale,
                                tensor::DType dtype, std::byte* out);
void silu_product_reference(const float* gate, const float* up, std::size_t n, tensor::DType dtype,
                            std::byte* out);

}  // namespace lq::kernels::detail
