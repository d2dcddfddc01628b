#include "common/codec/q8_0.h"

#include <algorithm>

#include "common/codec/sym_encode.h"
#include "common/kernels/absmax.h"

namespace lq::codec {

void grid_q8_0(const std::byte* block, tensor::BlockGrid& grid) {
  grid = flat_grid(32, 255, 128, load_half(load_block<BlockQ8_0>(block).d));
}

void codes_q8_0(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ8_0>(block);
  for (std::size_t i = 0; i < 32; ++i) codes[i] = byte_of(b.qs[i] + 128);
}

void pack_q8_0(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ8_0 b;
  b.d = store_half(grid.d);
  for (std::size_t i = 0; i < 32; ++i) b.qs[i] = static_cast<std::int8_t>(codes[i] - 128);
  store_block(b, block);
}

void decode_q8_0(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ8_0, grid_q8_0, codes_q8_0>(blocks, out, n_elems);
}

void encode_q8_0(const Rows& rows, std::byte* out) {
  check_half_range(rows, 127.0F, "Q8_0");
  constexpr std::size_t kBatch = 64;
  float d[kBatch];
  std::int8_t codes[kBatch * 32];
  const float* x = rows.x;
  for (auto left = static_cast<std::size_t>(rows.n_rows * rows.row_elems / 32); left > 0;) {
    const std::size_t n = std::min(kBatch, left);
    kernels::absmax_q8_0(x, n, d, codes);
    for (std::size_t b = 0; b < n; ++b, out += sizeof(BlockQ8_0)) {
      const Half half = store_half(d[b]);
      std::memcpy(out, &half, sizeof(half));
      std::memcpy(out + sizeof(half), codes + 32 * b, 32);
    }
    x += n * 32;
    left -= n;
  }
}

}  // namespace lq::codec
