#pragma once
// Q8_0: 32 elements in 34 bytes, x = d * q with signed 8-bit q.
//
//   0  f16 d
//   2  qs[32]  int8

#include "common/codec/block.h"
#include "common/codec/codec.h"

namespace lq::codec {

struct BlockQ8_0 {
  Half d;
  std::int8_t qs[32];
};
static_assert(sizeof(BlockQ8_0) == 34);

void encode_q8_0(const Rows& rows, std::byte* out);
void decode_q8_0(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q8_0(const std::byte* block, tensor::BlockGrid& grid);
void codes_q8_0(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q8_0(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

}  // namespace lq::codec
