#pragma once
// The plain reference of absmax.h.

#include <cstddef>
#include <cstdint>
#include <span>

namespace lq::kernels::detail {

float largest_magnitude_reference(std::span<const float> values);
void absmax_q8_0_reference(const float* x, std::size_t n_blocks, float* d, std::int8_t* codes);
void absmax_signed_reference(const float* x, std::size_t n_blocks, int n, float* d,
                             std::uint8_t* codes);

/// 1 / d; 0 where d is 0 or so small that the quotient is infinite (float16 holds no such d, and
/// llama.cpp's conversion of the infinity gives code 0 too).
float absmax_inverse(float d);

}  // namespace lq::kernels::detail
