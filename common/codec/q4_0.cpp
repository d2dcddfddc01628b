#include "common/codec/q4_0.h"

#include "common/codec/sym_encode.h"

namespace lq::codec {

void grid_q4_0(const std::byte* block, tensor::BlockGrid& grid) {
  grid = flat_grid(32, 15, 8, load_half(load_block<BlockQ4_0>(block).d));
}

void codes_q4_0(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ4_0>(block);
  for (std::size_t i = 0; i < 32; ++i) {
    codes[i] = byte_of(nibble(b.qs[i % 16], static_cast<int>(i / 16)));
  }
}

void pack_q4_0(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ4_0 b;
  b.d = store_half(grid.d);
  for (std::size_t j = 0; j < 16; ++j) b.qs[j] = byte_of(codes[j] | codes[j + 16] << 4);
  store_block(b, block);
}

void decode_q4_0(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ4_0, grid_q4_0, codes_q4_0>(blocks, out, n_elems);
}

void encode_q4_0(const Rows& rows, std::byte* out) {
  check_half_range(rows, 8.0F, "Q4_0");
  if (rows.importance != nullptr) {
    return encode_blocks32(rows, kernels::sym_q4_0, pack_q4_0, sizeof(BlockQ4_0), out);
  }
  encode_absmax_signed(rows, 8, pack_q4_0, sizeof(BlockQ4_0), out);
}

}  // namespace lq::codec
