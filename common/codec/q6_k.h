#pragma once
// Q6_K: 256 elements in 210 bytes, sub-blocks of 16, x = d * scales[s] * (q - 32) with 6-bit q.
// With n = i / 128 and r = i % 128:
//
//    0  ql[128]    low four bits: nibble r/64 of byte 64n + r%64
//  128  qh[64]     high two bits: byte 32n + r%32 at bit 2 * (r/32)
//  192  scales[16] int8
//  208  f16 d

#include "common/codec/block.h"
#include "common/codec/codec.h"

namespace lq::codec {

struct BlockQ6K {
  std::uint8_t ql[128];
  std::uint8_t qh[64];
  std::int8_t scales[16];
  Half d;
};
static_assert(sizeof(BlockQ6K) == 210);

void encode_q6_k(const Rows& rows, std::byte* out);
void decode_q6_k(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q6_k(const std::byte* block, tensor::BlockGrid& grid);
void codes_q6_k(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q6_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

}  // namespace lq::codec
