#pragma once
// Q5_0: 32 elements in 22 bytes, x = d * (q - 16).
//
//   0  f16 d
//   2  qh[4]   bit i (of a little-endian u32): fifth bit of element i
//   6  qs[16]  low four bits: byte j has element j in the low nibble, j + 16 in the high one

#include "common/codec/block.h"
#include "common/codec/codec.h"

namespace lq::codec {

struct BlockQ5_0 {
  Half d;
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ5_0) == 22);

void encode_q5_0(const Rows& rows, std::byte* out);
void decode_q5_0(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q5_0(const std::byte* block, tensor::BlockGrid& grid);
void codes_q5_0(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q5_0(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

}  // namespace lq::codec
