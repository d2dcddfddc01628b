#pragma once
// The types whose elements come from a code book (iq_tables.h), in groups of 8 or 4 with signs
// apart. Read only. Super-blocks of 256. Group g = i / 8.
//
// Signs are one bit an element, set meaning negative. Where only 7 bits are stored, the eighth
// makes the number of set bits even.

#include "common/codec/block.h"
#include "common/codec/codec.h"

namespace lq::codec {

/// x = d * (0.5 + s) * 0.25 * level
struct BlockIQ2XXS {
  Half d;
  struct Record {            // 32 elements
    std::uint8_t index[4];   // of each group
    std::uint8_t packed[4];  // u32: 7 sign bits of group l at 7l, scale s in the top four bits
  } records[8];
};
static_assert(sizeof(BlockIQ2XXS) == 66);

/// x as IQ2_XXS
struct BlockIQ2XS {
  Half d;
  std::uint16_t qs[32];    // per group: index in 9 bits, then 7 sign bits
  std::uint8_t scales[8];  // per 32: low nibble for the first two groups, high for the others
};
static_assert(sizeof(BlockIQ2XS) == 74);

/// x as IQ2_XXS
struct BlockIQ2S {
  Half d;
  std::uint8_t qs[32];     // low byte of the index per group
  std::uint8_t signs[32];  // 8 bits per group
  std::uint8_t qh[8];      // index bits 8..9 of group 4k + l at 2l of byte k
  std::uint8_t scales[8];  // as IQ2_XS
};
static_assert(sizeof(BlockIQ2S) == 82);

/// x = d * (0.5 + s) * 0.5 * level
struct BlockIQ3XXS {
  Half d;
  std::uint8_t qs[64];        // index per 4 elements
  std::uint8_t packed[8][4];  // u32 per 32 elements, as in IQ2_XXS
};
static_assert(sizeof(BlockIQ3XXS) == 98);

/// x = d * (1 + 2s) * level
struct BlockIQ3S {
  Half d;
  std::uint8_t qs[64];     // low byte of the index per 4 elements
  std::uint8_t qh[8];      // index bit 8 of group-of-4 number 8k + t at bit t of byte k
  std::uint8_t signs[32];  // 8 bits per group
  std::uint8_t scales[4];  // a nibble per 32 elements
};
static_assert(sizeof(BlockIQ3S) == 110);

/// x = d * (2s + 1) * (level + delta)
struct BlockIQ1S {
  Half d;
  std::uint8_t qs[32];  // low byte of the index per group
  std::uint16_t qh[8];  // per 32: index bits 8..10 of group l at 3l, s at 12, bit 15: delta < 0
};
static_assert(sizeof(BlockIQ1S) == 50);

/// x as IQ1_S, sub-blocks of 16
struct BlockIQ1M {
  std::uint8_t qs[32];      // low byte of the index per group
  std::uint8_t qh[16];      // nibble per group: index bits 8..10, bit 3: delta < 0
  std::uint16_t scales[4];  // 3-bit s of sub-block t at 3 * (t%4) of word t/4; top nibbles: f16 d
};
static_assert(sizeof(BlockIQ1M) == 56);

void decode_iq2_xxs(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_iq2_xs(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_iq2_s(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_iq3_xxs(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_iq3_s(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_iq1_s(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_iq1_m(const std::byte* blocks, float* out, std::size_t n_elems);

}  // namespace lq::codec
