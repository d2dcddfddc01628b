#pragma once
// The vector part of convert.h. Each function works on whole vectors and returns how many elements
// it has done; the rest, fewer than vector_elems(), is left to the plain conversions.

#include <cstddef>

namespace lq::kernels::detail {

std::size_t vector_elems();

/// REQUIRES: n is a multiple of vector_elems().
bool any_non_finite(const float* values, std::size_t n);
std::size_t widen_f16(const std::byte* in, std::size_t n, float* out);
std::size_t widen_bf16(const std::byte* in, std::size_t n, float* out);
std::size_t narrow_f16(const float* values, std::size_t n, std::byte* out);
std::size_t narrow_bf16(const float* values, std::size_t n, std::byte* out);

}  // namespace lq::kernels::detail
