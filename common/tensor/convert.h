#pragma once
// Number formats of tensors to and from float32, element by element: the readable reference.
// kernels/convert does the same for long rows.
//
// The 8-bit kinds are those of the "OCP 8-bit floating point" and microscaling (MX) specifications,
// and the FNUZ variants (finite, no negative zero) of AMD hardware:
//   E4M3        s eeee mmm   bias 7, no infinity, NaN = S.1111.111, largest 448
//   E5M2        s eeeee mm   bias 15, infinities and NaN as IEEE, largest 57344
//   E8M0        eeeeeeee     2^(e - 127), 0xFF = NaN, neither zero nor sign
//   E4M3FNUZ    bias 8, E5M2FNUZ bias 16; 0x80 is the one NaN, no infinity; largest 240 and 57344

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/tensor/dtype.h"

namespace lq::tensor {

float f16_to_f32(std::uint16_t bits);
/// Round to nearest, ties to even; from 65520 on becomes infinity (callers that must not write one
/// check first).
std::uint16_t f32_to_f16(float value);
float bf16_to_f32(std::uint16_t bits);
/// Round to nearest, ties to even; NaN stays NaN.
std::uint16_t f32_to_bf16(float value);
float f8_e4m3_to_f32(std::uint8_t bits);
float f8_e5m2_to_f32(std::uint8_t bits);
float f8_e8m0_to_f32(std::uint8_t bits);
float f8_e4m3fnuz_to_f32(std::uint8_t bits);
float f8_e5m2fnuz_to_f32(std::uint8_t bits);

/// F64 is rounded to the nearest float32 (beyond its range: infinity); every other kind is exact.
/// REQUIRES: dtype_row(dtype).widens and in.size() == out.size() * bits / 8. No alignment is
/// assumed of `in`.
void widen_to_f32(DType dtype, std::span<const std::byte> in, std::span<float> out);

}  // namespace lq::tensor
