#pragma once
// The quantized types of GGUF: identity, geometry, encoding, decoding and the grid of values that a
// block can hold. codec_table.cpp is the one list; a new type is one file and one row there.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/tensor/dtype.h"
#include "common/tensor/grid.h"

namespace lq::codec {

/// Values are the tensor type ids of the GGUF format.
enum class QuantType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2K = 10,
  kQ3K = 11,
  kQ4K = 12,
  kQ5K = 13,
  kQ6K = 14,
  kQ8K = 15,
  kIQ2XXS = 16,
  kIQ2XS = 17,
  kIQ3XXS = 18,
  kIQ1S = 19,
  kIQ4NL = 20,
  kIQ3S = 21,
  kIQ2S = 22,
  kIQ4XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIQ1M = 29,
  kBF16 = 30,
  kTQ1_0 = 34,
  kTQ2_0 = 35,
  kMXFP4 = 39,
  kNVFP4 = 40,
  kQ1_0 = 41,
  kQ2_0 = 42,
};

/// Rows to encode. Row r starts at x + r * row_elems.
struct Rows {
  const float* x;  // [n_rows, row_elems], finite
  std::int64_t n_rows;
  std::int64_t row_elems;      // a multiple of the codec's block_elems
  const float* importance;     // [row_elems], >= 0 with at least one positive value, or nullptr
  std::int64_t first_row = 0;  // its number in the tensor, for messages
};

struct Codec {
  QuantType type;
  std::string_view name;  // as files and messages spell it: "Q4_K"
  std::uint32_t block_elems;
  std::uint32_t block_bytes;
  bool quantized;  // false for plain number formats (F32, F16, BF16, I8 ...)

  /// Writes n_rows * row_elems / block_elems blocks to `out`. The bytes depend on nothing but
  /// `rows`: not on the instruction set, not on how the rows of a tensor are cut into calls. Throws
  /// ConversionError for a value that the format cannot hold (beyond F16's range); `out` is then
  /// unspecified. nullptr: the type is not written by these tools.
  void (*encode)(const Rows& rows, std::byte* out) = nullptr;

  /// Decodes n_elems (a multiple of block_elems) values. nullptr: the type is not read by these
  /// tools.
  void (*decode)(const std::byte* blocks, float* out, std::size_t n_elems) = nullptr;

  /// The grid that the scale fields of one block span (tensor/grid.h), the codes that the block
  /// holds, and the block made of given codes; nullptr where a block is not a grid of evenly spaced
  /// codes. pack(grid(block), codes(block)) gives the block's own bytes.
  /// REQUIRES: codes.size() == block_elems, each code at most grid.max_code.
  void (*grid)(const std::byte* block, tensor::BlockGrid& grid) = nullptr;
  void (*codes)(const std::byte* block, std::span<std::uint8_t> codes) = nullptr;
  void (*pack)(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block) = nullptr;

  constexpr std::uint64_t bytes_for(std::uint64_t n_elems) const {
    return n_elems / block_elems * block_bytes;
  }
};

/// In ascending order of the type id.
std::span<const Codec> codecs();
const Codec& codec(QuantType type);
/// The plain float type that a type is; empty for all others.
std::optional<tensor::DType> plain_type(QuantType type);
/// nullptr: no such type.
const Codec* find_codec(std::uint32_t id);
/// Case does not matter. nullptr: no such type.
const Codec* find_codec(std::string_view name);

}  // namespace lq::codec
