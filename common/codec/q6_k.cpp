#include "common/codec/q6_k.h"

#include "common/codec/sym_encode.h"

namespace lq::codec {

void grid_q6_k(const std::byte* block, tensor::BlockGrid& grid) {
  const auto b = load_block<BlockQ6K>(block);
  grid = {};
  grid.block_elems = 256;
  grid.sub_elems = 16;
  grid.max_code = 63;
  grid.code_bias = 32;
  grid.d = load_half(b.d);
  grid.sub_scale_lo = -128;
  grid.sub_scale_hi = 127;
  for (std::size_t s = 0; s < 16; ++s) grid.sub_scale[s] = b.scales[s];
}

void codes_q6_k(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ6K>(block);
  for (int i = 0; i < 256; ++i) {
    const int n = i / 128;
    const int r = i % 128;
    const int low = nibble(b.ql[64 * n + r % 64], r / 64);
    const int high = (b.qh[32 * n + r % 32] >> (2 * (r / 32))) & 3;
    codes[static_cast<std::size_t>(i)] = byte_of(low | high << 4);
  }
}

void pack_q6_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ6K b;
  b.d = store_half(grid.d);
  for (std::size_t s = 0; s < 16; ++s) b.scales[s] = static_cast<std::int8_t>(grid.sub_scale[s]);
  for (int n = 0; n < 2; ++n) {
    const std::uint8_t* c = codes.data() + 128 * n;
    for (int j = 0; j < 64; ++j) b.ql[64 * n + j] = byte_of((c[j] & 15) | (c[j + 64] & 15) << 4);
    for (int j = 0; j < 32; ++j) {
      b.qh[32 * n + j] = byte_of(c[j] >> 4 | (c[j + 32] >> 4) << 2 | (c[j + 64] >> 4) << 4 |
                                 (c[j + 96] >> 4) << 6);
    }
  }
  store_block(b, block);
}

void decode_q6_k(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ6K, grid_q6_k, codes_q6_k>(blocks, out, n_elems);
}

void encode_q6_k(const Rows& rows, std::byte* out) {
  check_half_range(rows, 128.0F * 32.0F, "Q6_K");
  encode_super_blocks(rows, kernels::sym_q6_k, pack_q6_k, sizeof(BlockQ6K), out);
}

}  // namespace lq::codec
