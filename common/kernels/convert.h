#pragma once
// Long rows to and from float32, with the check for NaN and infinity on the way. The definition of
// each format is common/tensor/convert.h; results here are equal to it, NaN payloads apart.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "common/tensor/dtype.h"

namespace lq::kernels {

inline constexpr std::size_t kAllFinite = std::numeric_limits<std::size_t>::max();

/// As tensor::widen_to_f32. Returns the index of the first element that is NaN or infinite in
/// float32, or kAllFinite; `out` is written in full either way.
/// REQUIRES: dtype_row(dtype).widens and in.size() == out.size() * bits / 8.
std::size_t widen_to_f32(tensor::DType dtype, std::span<const std::byte> in, std::span<float> out);

/// Index of the first NaN or infinity, or kAllFinite.
std::size_t first_non_finite(std::span<const float> values);

/// Nearest float16 or bfloat16, ties to even, 2 bytes an element, little endian. From 65520 on
/// float16 is infinity. No alignment is assumed of `out`.
/// REQUIRES: no NaN among the values.
void narrow_to_f16(std::span<const float> values, std::byte* out);
void narrow_to_bf16(std::span<const float> values, std::byte* out);

}  // namespace lq::kernels
