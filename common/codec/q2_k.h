#pragma once
// Q2_K: 256 elements in 84 bytes, sub-blocks of 16, x = d * scale(s) * q - dmin * min(s), 2-bit q.
//
//    0  scales[16]  scale of sub-block s in the low nibble, minimum in the high one
//   16  qs[64]      two-bit plane (block.h)
//   80  f16 d
//   82  f16 dmin

#include "common/codec/block.h"

namespace lq::codec {

struct BlockQ2K {
  std::uint8_t scales[16];
  std::uint8_t qs[64];
  Half d, dmin;
};
static_assert(sizeof(BlockQ2K) == 84);

}  // namespace lq::codec
