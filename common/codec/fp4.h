#pragma once
// Types of unevenly spaced four-bit levels. Read only.
//
//   MXFP4   32 elements, power-of-two scale, E2M1 levels (OCP microscaling formats)
//   NVFP4   64 elements, an unsigned E4M3 scale per 16, E2M1 levels
//   IQ4_NL  32 elements, float16 scale, 16 fixed levels denser around zero
//   IQ4_XS  256 elements, 6-bit scale per 32, the same levels
// Nibbles in each: byte j of a group holds element j low and element j + (bytes of the group) high.

#include "common/codec/block.h"
#include "common/codec/codec.h"

namespace lq::codec {

struct BlockMXFP4 {
  std::uint8_t exponent;  // scale 2^(exponent - 128) on doubled levels; 255 is NaN
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockMXFP4) == 17);

struct BlockNVFP4 {
  std::uint8_t scales[4];  // E4M3 without sign
  std::uint8_t qs[32];     // 8 bytes for each 16 elements
};
static_assert(sizeof(BlockNVFP4) == 36);

struct BlockIQ4NL {
  Half d;
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockIQ4NL) == 18);

struct BlockIQ4XS {
  Half d;
  std::uint16_t scales_high;   // two bits at 2s
  std::uint8_t scales_low[4];  // nibble s%2 of byte s/2; scale = (low | high << 4) - 32
  std::uint8_t qs[128];        // 16 bytes for each 32 elements
};
static_assert(sizeof(BlockIQ4XS) == 136);

void decode_mxfp4(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_nvfp4(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_iq4_nl(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_iq4_xs(const std::byte* blocks, float* out, std::size_t n_elems);

}  // namespace lq::codec
