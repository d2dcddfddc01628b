#pragma once
// Probabilities of one prediction in 16 bits each: their square roots, in steps of 1 / 32768,
//
//   code_i = round(32768 sqrt(p_i))                    0 .. 32768
//
// and, for the many tokens of code 0, the mean of their probabilities. Steps of the square root are
// what a divergence notices equally everywhere: with errors e_i of the roots, KL(p || p') is about
// 2 * sum of e_i^2, so that rounding costs vocabulary / (6 * 32768^2) nats at most: 8e-6 for 49,152
// tokens, 2.4e-5 for 151,936. Steps of ln p, as llama.cpp's file has, would be fine where nothing
// is likely, and take twice the space once compressed: most codes here are small.

#include <cstddef>
#include <cstdint>
#include <span>

namespace lq::behaviour {

inline constexpr std::uint16_t kMostCode = 32768;

/// Writes the codes of a row of logits whose log_sum_exp is given; returns the mean probability of
/// the tokens of code 0, or 0 where there are none. REQUIRES: equal sizes, no NaN.
float encode_probabilities(std::span<const float> logits, double log_sum,
                           std::span<std::uint16_t> codes);

/// Writes ln p of each token. REQUIRES: equal sizes, codes up to kMostCode, 0 <= rest <= 1.
void decode_probabilities(std::span<const std::uint16_t> codes, float rest, std::span<float> log_p);

}  // namespace lq::behaviour
