#pragma once
// Number formats of tensors to and from float32, element by element: the readable reference. kernels/convert does
// the same for long rows.

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/tensor/dtype.h"

namespace lq::tensor {

float f16_to_f32(std::uint16_t bits);
/// Round to nearest, ties to even; beyond 65504 becomes infinity (callers that must not write one check first).
std::uint16_t f32_to_f16(float value);
float bf16_to_f32(std::uint16_t bits);
/// Round to nearest, ties to even; NaN stays NaN.
std::uint16_t f32_to_bf16(float value);
float f8_e4m3_to_f32(std::uint8_t bits);
float f8_e5m2_to_f32(std::uint8_t bits);

/// REQUIRES: dtype_row(dtype).widens and in.size() == out.size() * bits / 8. No alignment is assumed of `in`.
void widen_to_f32(DType dtype, std::span<const std::byte> in, std::span<float> out);

}  // namespace lq::tensor
