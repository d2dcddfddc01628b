#include "common/codec/q5_0.h"

#include "common/codec/sym_encode.h"

namespace lq::codec {

void grid_q5_0(const std::byte* block, tensor::BlockGrid& grid) {
  grid = flat_grid(32, 31, 16, load_half(load_block<BlockQ5_0>(block).d));
}

void codes_q5_0(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ5_0>(block);
  for (std::size_t i = 0; i < 32; ++i) {
    const int high = (b.qh[i / 8] >> (i % 8)) & 1;
    codes[i] = byte_of(nibble(b.qs[i % 16], static_cast<int>(i / 16)) | high << 4);
  }
}

void pack_q5_0(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ5_0 b;
  b.d = store_half(grid.d);
  for (std::size_t j = 0; j < 16; ++j) {
    b.qs[j] = byte_of((codes[j] & 15) | (codes[j + 16] & 15) << 4);
  }
  for (std::size_t k = 0; k < 4; ++k) b.qh[k] = gather_bits(codes.data() + 8 * k, 4);
  store_block(b, block);
}

void decode_q5_0(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ5_0, grid_q5_0, codes_q5_0>(blocks, out, n_elems);
}

void encode_q5_0(const Rows& rows, std::byte* out) {
  check_half_range(rows, 16.0F, "Q5_0");
  if (rows.importance != nullptr) {
    return encode_blocks32(rows, kernels::sym_q5_0, pack_q5_0, sizeof(BlockQ5_0), out);
  }
  encode_absmax_signed(rows, 16, pack_q5_0, sizeof(BlockQ5_0), out);
}

}  // namespace lq::codec
