#pragma once
// Q5_K: 256 elements in 176 bytes, sub-blocks of 32, x = d * scale(s) * q - dmin * min(s), 5-bit q.
//
//    0  f16 d
//    2  f16 dmin
//    4  scales[12]  six-bit scales and minima as in Q4_K
//   16  qh[32]      bit s of byte i: fifth bit of element i of sub-block s
//   48  qs[128]     low four bits as in Q4_K

#include "common/codec/block.h"

namespace lq::codec {

struct BlockQ5K {
  Half d, dmin;
  std::uint8_t scales[12];
  std::uint8_t qh[32];
  std::uint8_t qs[128];
};
static_assert(sizeof(BlockQ5K) == 176);

}  // namespace lq::codec
