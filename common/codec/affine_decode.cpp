#include "common/codec/affine_decode.h"

#include "common/codec/q2_k.h"
#include "common/codec/q4_1.h"
#include "common/codec/q4_k.h"
#include "common/codec/q5_1.h"
#include "common/codec/q5_k.h"

namespace lq::codec {
namespace {

// The blocks of 32 store m with x = d * q + m; the grid subtracts, so its dmin is -m.
tensor::BlockGrid flat_affine_grid(int max_code, Half d, Half m) {
  tensor::BlockGrid grid = flat_grid(32, max_code, 0, load_half(d));
  grid.dmin = -load_half(m);
  grid.sub_min[0] = grid.sub_min_hi = 1;
  return grid;
}

tensor::BlockGrid super_grid(int sub_elems, int max_code, int max_field, Half d, Half dmin) {
  tensor::BlockGrid grid;
  grid.block_elems = 256;
  grid.sub_elems = sub_elems;
  grid.max_code = max_code;
  grid.d = load_half(d);
  grid.dmin = load_half(dmin);
  grid.sub_scale_hi = grid.sub_min_hi = max_field;
  return grid;
}

// The six-bit pairs of Q4_K and Q5_K: 12 bytes hold 8 scales and 8 minima.
void load_pairs(const std::uint8_t (&fields)[12], tensor::BlockGrid& grid) {
  for (std::size_t s = 0; s < 4; ++s) {
    grid.sub_scale[s] = fields[s] & 63;
    grid.sub_min[s] = fields[s + 4] & 63;
    grid.sub_scale[s + 4] = (fields[s + 8] & 15) | (fields[s] >> 6) << 4;
    grid.sub_min[s + 4] = (fields[s + 8] >> 4) | (fields[s + 4] >> 6) << 4;
  }
}

void store_pairs(const tensor::BlockGrid& grid, std::uint8_t (&fields)[12]) {
  for (std::size_t s = 0; s < 4; ++s) {
    const std::int32_t scale = grid.sub_scale[s + 4];
    const std::int32_t min = grid.sub_min[s + 4];
    fields[s] = byte_of(grid.sub_scale[s] | (scale >> 4) << 6);
    fields[s + 4] = byte_of(grid.sub_min[s] | (min >> 4) << 6);
    fields[s + 8] = byte_of((scale & 15) | (min & 15) << 4);
  }
}

// Nibbles of Q4_K and Q5_K: 32 bytes hold sub-blocks 2k in the low and 2k + 1 in the high half.
constexpr int nibble_byte(int i) { return 32 * (i / 64) + i % 32; }
constexpr int nibble_half(int i) { return (i % 64) / 32; }

}  // namespace

void grid_q4_1(const std::byte* block, tensor::BlockGrid& grid) {
  const auto b = load_block<BlockQ4_1>(block);
  grid = flat_affine_grid(15, b.d, b.m);
}

void codes_q4_1(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ4_1>(block);
  for (std::size_t i = 0; i < 32; ++i) {
    codes[i] = byte_of(nibble(b.qs[i % 16], static_cast<int>(i / 16)));
  }
}

void pack_q4_1(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ4_1 b;
  b.d = store_half(grid.d);
  b.m = store_half(-grid.dmin);
  for (std::size_t j = 0; j < 16; ++j) b.qs[j] = byte_of(codes[j] | codes[j + 16] << 4);
  store_block(b, block);
}

void decode_q4_1(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ4_1, grid_q4_1, codes_q4_1>(blocks, out, n_elems);
}

void grid_q5_1(const std::byte* block, tensor::BlockGrid& grid) {
  const auto b = load_block<BlockQ5_1>(block);
  grid = flat_affine_grid(31, b.d, b.m);
}

void codes_q5_1(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ5_1>(block);
  for (std::size_t i = 0; i < 32; ++i) {
    const int high = (b.qh[i / 8] >> (i % 8)) & 1;
    codes[i] = byte_of(nibble(b.qs[i % 16], static_cast<int>(i / 16)) | high << 4);
  }
}

void pack_q5_1(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ5_1 b{};
  b.d = store_half(grid.d);
  b.m = store_half(-grid.dmin);
  for (std::size_t i = 0; i < 32; ++i) {
    b.qs[i % 16] = byte_of(b.qs[i % 16] | (codes[i] & 15) << (i / 16 * 4));
    b.qh[i / 8] = byte_of(b.qh[i / 8] | (codes[i] >> 4) << (i % 8));
  }
  store_block(b, block);
}

void decode_q5_1(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ5_1, grid_q5_1, codes_q5_1>(blocks, out, n_elems);
}

void grid_q2_k(const std::byte* block, tensor::BlockGrid& grid) {
  const auto b = load_block<BlockQ2K>(block);
  grid = super_grid(16, 3, 15, b.d, b.dmin);
  for (std::size_t s = 0; s < 16; ++s) {
    grid.sub_scale[s] = b.scales[s] & 15;
    grid.sub_min[s] = b.scales[s] >> 4;
  }
}

void codes_q2_k(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ2K>(block);
  for (int i = 0; i < 256; ++i) {
    codes[static_cast<std::size_t>(i)] = byte_of((b.qs[plane_byte(i)] >> plane_shift(i)) & 3);
  }
}

void pack_q2_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ2K b{};
  b.d = store_half(grid.d);
  b.dmin = store_half(grid.dmin);
  for (std::size_t s = 0; s < 16; ++s) {
    b.scales[s] = byte_of(grid.sub_scale[s] | grid.sub_min[s] << 4);
  }
  for (int i = 0; i < 256; ++i) {
    const int code = codes[static_cast<std::size_t>(i)];
    b.qs[plane_byte(i)] = byte_of(b.qs[plane_byte(i)] | code << plane_shift(i));
  }
  store_block(b, block);
}

void decode_q2_k(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ2K, grid_q2_k, codes_q2_k>(blocks, out, n_elems);
}

void grid_q4_k(const std::byte* block, tensor::BlockGrid& grid) {
  const auto b = load_block<BlockQ4K>(block);
  grid = super_grid(32, 15, 63, b.d, b.dmin);
  load_pairs(b.scales, grid);
}

void codes_q4_k(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ4K>(block);
  for (int i = 0; i < 256; ++i) {
    codes[static_cast<std::size_t>(i)] = byte_of(nibble(b.qs[nibble_byte(i)], nibble_half(i)));
  }
}

void pack_q4_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ4K b{};
  b.d = store_half(grid.d);
  b.dmin = store_half(grid.dmin);
  store_pairs(grid, b.scales);
  for (int i = 0; i < 256; ++i) {
    const int code = codes[static_cast<std::size_t>(i)];
    b.qs[nibble_byte(i)] = byte_of(b.qs[nibble_byte(i)] | code << (4 * nibble_half(i)));
  }
  store_block(b, block);
}

void decode_q4_k(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ4K, grid_q4_k, codes_q4_k>(blocks, out, n_elems);
}

void grid_q5_k(const std::byte* block, tensor::BlockGrid& grid) {
  const auto b = load_block<BlockQ5K>(block);
  grid = super_grid(32, 31, 63, b.d, b.dmin);
  load_pairs(b.scales, grid);
}

void codes_q5_k(const std::byte* block, std::span<std::uint8_t> codes) {
  const auto b = load_block<BlockQ5K>(block);
  for (int i = 0; i < 256; ++i) {
    const int high = (b.qh[i % 32] >> (i / 32)) & 1;
    codes[static_cast<std::size_t>(i)] =
        byte_of(nibble(b.qs[nibble_byte(i)], nibble_half(i)) | high << 4);
  }
}

void pack_q5_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) {
  BlockQ5K b{};
  b.d = store_half(grid.d);
  b.dmin = store_half(grid.dmin);
  store_pairs(grid, b.scales);
  for (int i = 0; i < 256; ++i) {
    const int code = codes[static_cast<std::size_t>(i)];
    b.qs[nibble_byte(i)] = byte_of(b.qs[nibble_byte(i)] | (code & 15) << (4 * nibble_half(i)));
    b.qh[i % 32] = byte_of(b.qh[i % 32] | (code >> 4) << (i / 32));
  }
  store_block(b, block);
}

void decode_q5_k(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_grid_blocks<BlockQ5K, grid_q5_k, codes_q5_k>(blocks, out, n_elems);
}

}  // namespace lq::codec
