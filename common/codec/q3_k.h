#pragma once
// Q3_K: 256 elements in 110 bytes, sub-blocks of 16, x = d * scale(s) * (q - 4) with 3-bit q.
//
//    0  hmask[32]  bit i/32 of byte i%32: third bit of element i
//   32  qs[64]     two-bit plane (block.h) of the low bits
//   96  scales[12] scale(s) = (low | high << 4) - 32 with low = nibble s/8 of byte s%8,
//                  high = two bits of byte 8 + s%4 at 2 * (s/4)
//  108  f16 d

#include "common/codec/block.h"
#include "common/codec/codec.h"

namespace lq::codec {

struct BlockQ3K {
  std::uint8_t hmask[32];
  std::uint8_t qs[64];
  std::uint8_t scales[12];
  Half d;
};
static_assert(sizeof(BlockQ3K) == 110);

void encode_q3_k(const Rows& rows, std::byte* out);
void decode_q3_k(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q3_k(const std::byte* block, tensor::BlockGrid& grid);
void codes_q3_k(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q3_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

}  // namespace lq::codec
