#pragma once
// The code books of the IQ types: each entry stands for 8 (IQ2, IQ1) or 4 (IQ3) magnitudes.
//
// An entry is one integer; element j has its level number in 2 bits at 2j (8-element tables) or 3
// bits at 3j (4-element tables). The level numbers stand for 8, 25, 43 in the IQ2 tables, for -1,
// 0, 1 in IQ1, for 4, 12, 20, 28, 36, 44, 52, 62 in IQ3_XXS and for 1, 3, ..., 15 in IQ3_S.

#include <array>
#include <cstdint>

namespace lq::codec {

extern const std::array<std::uint16_t, 256> kGridIQ2XXS;
extern const std::array<std::uint16_t, 512> kGridIQ2XS;
extern const std::array<std::uint16_t, 1024> kGridIQ2S;
extern const std::array<std::uint16_t, 256> kGridIQ3XXS;
extern const std::array<std::uint16_t, 512> kGridIQ3S;
extern const std::array<std::uint16_t, 2048> kGridIQ1;

}  // namespace lq::codec
