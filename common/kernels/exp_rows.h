#pragma once
// Rows through the exponential function: the weights of a softmax, and gated units. Instruction
// sets may differ in the last bits (sums of other order, an exponential with fused multiply-add);
// on one of them results are always the same.

#include <cstddef>

#include "common/tensor/dtype.h"

namespace lq::kernels {

/// REQUIRES: n > 0, no NaN.
float largest_value(const float* x, std::size_t n);

/// out[i] = exp((scores[i] - largest) * scale), as kF32 or kBF16; returns the sum of the values
/// before rounding. REQUIRES: scores[i] <= largest, no NaN, scale > 0, `out` aligned.
float softmax_weights(const float* scores, std::size_t n, float largest, float scale,
                      tensor::DType dtype, std::byte* out);

/// out[i] = silu(gate[i]) * up[i] with silu(x) = x / (1 + exp(-x)), as kF32 or kBF16.
/// REQUIRES: no NaN, `out` aligned.
void silu_product(const float* gate, const float* up, std::size_t n, tensor::DType dtype,
                  std::byte* out);

}  // namespace lq::kernels
