#pragma once
// Q4_1: 32 elements in 20 bytes, x = d * q + m with 4-bit q.
//
//   0  f16 d
//   2  f16 m
//   4  qs[16]  byte j: element j in the low nibble, element j + 16 in the high one

#include "common/codec/block.h"

namespace lq::codec {

struct BlockQ4_1 {
  Half d, m;
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ4_1) == 20);

}  // namespace lq::codec
