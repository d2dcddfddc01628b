#pragma once
// Q5_1: 32 elements in 24 bytes, x = d * q + m with 5-bit q.
//
//   0  f16 d
//   2  f16 m
//   4  qh[4]   bit i % 8 of byte i / 8: fifth bit of element i
//   8  qs[16]  low four bits, byte j: element j in the low nibble, element j + 16 in the high one

#include "common/codec/block.h"

namespace lq::codec {

struct BlockQ5_1 {
  Half d, m;
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ5_1) == 24);

}  // namespace lq::codec
