#include "common/codec/q8_0.h"

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

}  // namespace lq::codec
