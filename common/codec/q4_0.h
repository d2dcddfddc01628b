#pragma once
// Q4_0: 32 elements in 18 bytes, x = d * (q - 8).
//
//   0  f16 d
//   2  qs[16]  byte j: element j in the low nibble, element j + 16 in the high one

#include "common/codec/block.h"
#include "common/codec/codec.h"

namespace lq::codec {

struct BlockQ4_0 {
  Half d;
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ4_0) == 18);

void encode_q4_0(const Rows& rows, std::byte* out);
void decode_q4_0(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q4_0(const std::byte* block, tensor::BlockGrid& grid);
void codes_q4_0(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q4_0(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

}  // namespace lq::codec
