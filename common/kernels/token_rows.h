#pragma once
// Rows of one token: what normalisation and rotary position embedding do to each.

#include <cstddef>

#include "common/tensor/dtype.h"

namespace lq::kernels {

/// Sum of x^2 in float64. The order of the additions depends on the instruction set.
double sum_of_squares(const float* x, std::size_t n);

/// out[i] = x[i] * scale * weight[i], as kF32 or kBF16. `out` may be `x`. REQUIRES: no NaN, `out`
/// aligned.
void scale_row(const float* x, float scale, const float* weight, std::size_t n, tensor::DType dtype,
               std::byte* out);

/// Rotates heads [n_heads, 2 * half] in place: value i with value i + half, by the angle i.
/// All instruction sets give the same bits.
void rotate_heads(float* heads, std::size_t n_heads, std::size_t half, const float* cos,
                  const float* sin);

}  // namespace lq::kernels
