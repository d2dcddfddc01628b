#pragma once
// Normalisation of one token's values.

#include <cstddef>
#include <span>

#include "common/tensor/dtype.h"

namespace lq::forward {

/// y = x / sqrt(mean(x^2) + eps) * weight (Zhang and Sennrich, arXiv:1910.07467). `y` may be `x`.
void rms_norm(std::span<const float> x, std::span<const float> weight, double eps,
              std::span<float> y);
/// The same with y rounded to kF32 or kBF16.
void rms_norm(std::span<const float> x, std::span<const float> weight, double eps,
              tensor::DType dtype, std::byte* y);

/// y = (x - mean) / sqrt(variance + eps) * weight + bias (Ba et al., arXiv:1607.06450); an empty
/// bias counts as zero.
void layer_norm(std::span<const float> x, std::span<const float> weight,
                std::span<const float> bias, double eps, std::span<float> y);

}  // namespace lq::forward
