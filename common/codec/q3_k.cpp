#include "common/codec/q3_k.h"

#include "common/codec/sym_encode.h"

namespace lq::codec {
namespace {

int scale_of(const BlockQ3K& b, int s) {
  const int low = nibble(b.scales[s % 8], s / 8);
  const int high = (b.scales[8 + s % 4] >> (2 * (s / 4))) & 3;
  return (low | high << 4) - 32;
}

}  // namespace

void grid_q3_k(const std::byte* block, tensor::BlockGrid& grid) {
  const auto b = load_block<BlockQ3K>(block);
  grid = {};
  grid.block_elems = 256;
  grid.sub_elems = 16;
  grid.max_code = 7;
  grid.code_bias = 4;
  grid.d = load_half(b.d);
  grid.sub_scale_lo = -32;
  grid.sub_scale_hi = 31;
  for (int s = 0; s < 16; ++s) grid.sub_scale[static_cast<std::size_t>(s)] = scale_of(b, s);
}

void codes_q3_k(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ3K>(block);
  for (int i = 0; i < 256; ++i) {
    const int low = (b.qs[plane_byte(i)] >> plane_shift(i)) & 3;
    const int high = (b.hmask[i % 32] >> (i / 32)) & 1;
    codes[static_cast<std::size_t>(i)] = byte_of(low | high << 2);
  }
}

void pack_q3_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ3K b{};
  b.d = store_half(grid.d);
  for (int s = 0; s < 16; ++s) {
    const int stored = grid.sub_scale[static_cast<std::size_t>(s)] + 32;
    b.scales[s % 8] = byte_of(b.scales[s % 8] | (stored & 15) << (4 * (s / 8)));
    b.scales[8 + s % 4] = byte_of(b.scales[8 + s % 4] | (stored >> 4) << (2 * (s / 4)));
  }
  for (int half = 0; half < 2; ++half) {
    const std::uint8_t* c = codes.data() + 128 * half;
    for (int j = 0; j < 32; ++j) {
      b.qs[32 * half + j] =
          byte_of((c[j] & 3) | (c[j + 32] & 3) << 2 | (c[j + 64] & 3) << 4 | (c[j + 96] & 3) << 6);
      const int high =
          c[j] >> 2 | (c[j + 32] >> 2) << 1 | (c[j + 64] >> 2) << 2 | (c[j + 96] >> 2) << 3;
      b.hmask[j] = byte_of(b.hmask[j] | high << (4 * half));
    }
  }
  store_block(b, block);
}

void decode_q3_k(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ3K, grid_q3_k, codes_q3_k>(blocks, out, n_elems);
}

void encode_q3_k(const Rows& rows, std::byte* out) {
  check_half_range(rows, 32.0F * 4.0F, "Q3_K");
  encode_super_blocks(rows, kernels::sym_q3_k, pack_q3_k, sizeof(BlockQ3K), out);
}

}  // namespace lq::codec
