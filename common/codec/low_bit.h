#pragma once
// Types with one or two bits an element and one scale: the ternary TQ1_0 and TQ2_0, the binary Q1_0
// and the four-level Q2_0. Read only.

#include "common/codec/block.h"
#include "common/codec/codec.h"

namespace lq::codec {

/// x = d * (t - 1). A byte stores base-3 digits as a fixed-point fraction, ceil(v * 256 / 243) with
/// the first digit the most significant: five digits in `a` and `b`, four in `c`. Elements 0..159
/// are digit i/32 of a[i%32], the next 80 digit k/16 of b[k%16], the last 16 digit k/4 of c[k%4].
struct BlockTQ1_0 {
  std::uint8_t a[32];
  std::uint8_t b[16];
  std::uint8_t c[4];
  Half d;
};
static_assert(sizeof(BlockTQ1_0) == 54);

/// x = d * (q - 1), q in the two-bit plane of block.h.
struct BlockTQ2_0 {
  std::uint8_t qs[64];
  Half d;
};
static_assert(sizeof(BlockTQ2_0) == 66);

/// 128 elements: bit i%8 of byte i/8 set gives +d, clear gives -d.
struct BlockQ1_0 {
  Half d;
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ1_0) == 18);

/// 64 elements: x = d * (q - 1) with q the two bits at 2 * (i%4) of byte i/4.
struct BlockQ2_0 {
  Half d;
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ2_0) == 18);

void decode_tq1_0(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_tq2_0(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_q1_0(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_q2_0(const std::byte* blocks, float* out, std::size_t n_elems);

}  // namespace lq::codec
