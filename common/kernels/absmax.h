#pragma once
// Blocks of 32 scaled by their largest magnitude and rounded, no search: what Q8_0, Q4_0 and Q5_0
// are without importance. The results are llama.cpp's to the byte; its rounding differs by type.

#include <cstddef>
#include <cstdint>
#include <span>

namespace lq::kernels {

/// The largest |x|, 0 of nothing. REQUIRES: no NaN among the values.
float largest_magnitude(std::span<const float> values);

/// d = max|x| / 127; codes round(x / d), halves away from zero.
/// d[b] (not yet float16) and codes[32 * b ...] of n_blocks blocks.
void absmax_q8_0(const float* x, std::size_t n_blocks, float* d, std::int8_t* codes);

/// d = -m / n with m the first value of largest magnitude; codes min(2n - 1, trunc(x / d + n +
/// 0.5)). n is 8 for Q4_0 and 16 for Q5_0.
void absmax_signed(const float* x, std::size_t n_blocks, int n, float* d, std::uint8_t* codes);

}  // namespace lq::kernels
