#pragma once
// Q4_K: 256 elements in 144 bytes, sub-blocks of 32, x = d * scale(s) * q - dmin * min(s), 4-bit q.
//
//    0  f16 d
//    2  f16 dmin
//    4  scales[12]  six-bit scales and minima of sub-blocks s = 0..7:
//         s < 4   scale = scales[s] & 63, min = scales[s + 4] & 63
//         s >= 4  scale = scales[s + 4] & 15 | scales[s - 4] >> 6 << 4
//                 min   = scales[s + 4] >> 4 | scales[s] >> 6 << 4
//   16  qs[128]     bytes 32k..32k+31: sub-block 2k in the low nibbles, 2k + 1 in the high ones

#include "common/codec/block.h"

namespace lq::codec {

struct BlockQ4K {
  Half d, dmin;
  std::uint8_t scales[12];
  std::uint8_t qs[128];
};
static_assert(sizeof(BlockQ4K) == 144);

}  // namespace lq::codec
