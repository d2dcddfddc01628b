#pragma once
// What the block codecs share: walking an array of blocks, float16 fields, bit planes.
//
// Blocks are read and written through std::memcpy, so no alignment is assumed of a file's bytes.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "common/tensor/convert.h"
#include "common/tensor/grid.h"

namespace lq::codec {

using Half = std::uint16_t;  // bits of an IEEE half, as stored

inline float load_half(Half bits) { return tensor::f16_to_f32(bits); }
inline Half store_half(float value) { return tensor::f32_to_f16(value); }

/// Nibble k (0: low) of a byte.
constexpr int nibble(unsigned byte, int k) { return static_cast<int>((byte >> (4 * k)) & 15U); }

constexpr std::uint8_t byte_of(int value) { return static_cast<std::uint8_t>(value); }
constexpr std::uint8_t byte_of(unsigned value) { return static_cast<std::uint8_t>(value); }

/// Bit `bit` of 8 bytes, that of byte i at position i. The product adds each of the eight bits into
/// the top byte at its own place, without carries.
inline std::uint8_t gather_bits(const std::uint8_t* bytes, int bit) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  const std::uint64_t bits = (word >> bit) & 0x0101010101010101U;
  return static_cast<std::uint8_t>((bits * 0x0102040810204080U) >> 56);
}

template <class Block>
Block load_block(const std::byte* from) {
  Block block;
  std::memcpy(&block, from, sizeof(Block));
  return block;
}

template <class Block>
void store_block(const Block& block, std::byte* to) {
  std::memcpy(to, &block, sizeof(Block));
}

/// The decode function of a codec from the function that decodes one block.
template <class Block, std::size_t kElems, void (*kDecodeBlock)(const Block&, float*)>
void decode_blocks(const std::byte* blocks, float* out, std::size_t n_elems) {
  for (std::size_t i = 0; i < n_elems; i += kElems, blocks += sizeof(Block)) {
    kDecodeBlock(load_block<Block>(blocks), out + i);
  }
}

/// The decode function of a type whose blocks are grids: value = scale * (code - bias), or
/// scale * code - offset for types with a minimum.
template <class Block, void (*kGrid)(const std::byte*, tensor::BlockGrid&),
          void (*kCodes)(const std::byte*, std::span<std::uint8_t>)>
void decode_grid_blocks(const std::byte* blocks, float* out, std::size_t n_elems) {
  tensor::BlockGrid grid;
  std::uint8_t codes[tensor::kMaxBlockElems];
  for (const float* const end = out + n_elems; out != end; blocks += sizeof(Block)) {
    kGrid(blocks, grid);
    kCodes(blocks, std::span(codes, static_cast<std::size_t>(grid.block_elems)));
    const std::uint8_t* code = codes;
    for (int s = 0; s < grid.sub_blocks(); ++s) {
      const float scale = grid.scale(s);
      const float offset = grid.code_bias != 0 ? 0.0F : grid.offset(s);
      for (int i = 0; i < grid.sub_elems; ++i, ++code, ++out) {
        const float product = scale * static_cast<float>(*code - grid.code_bias);
        *out = grid.code_bias != 0 ? product : product - offset;
      }
    }
  }
}

/// A grid with one scale for the whole block and no minimum: the blocks of 32.
inline tensor::BlockGrid flat_grid(int block_elems, int max_code, int code_bias, float d) {
  tensor::BlockGrid grid;
  grid.block_elems = grid.sub_elems = block_elems;
  grid.max_code = max_code;
  grid.code_bias = code_bias;
  grid.d = d;
  grid.sub_scale[0] = grid.sub_scale_lo = grid.sub_scale_hi = 1;
  return grid;
}

/// Position of element i in the two-bit plane of Q2_K, Q3_K and TQ2_0: 32 bytes cover 128 elements,
/// bits 0-1 the first 32 of them, bits 2-3 the next 32, and so on.
constexpr int plane_byte(int i) { return 32 * (i / 128) + i % 32; }
constexpr int plane_shift(int i) { return 2 * ((i % 128) / 32); }

}  // namespace lq::codec
