#pragma once
// Where the scales of a block are: the one table of the fields that multiply whole blocks (or, as
// minima, are subtracted from them). Six-bit and other integer scales within a block are codes like
// the rest and not listed.

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/codec/codec.h"

namespace lq::codec {

enum class ScaleKind : std::uint8_t {
  kHalf,           // IEEE half at the offset
  kScatteredHalf,  // IQ1_M: the top nibbles of four 16-bit words, the first one lowest
  kPowerOfTwo,     // E8M0: 2^(e - 128), 255 is NaN
  kSmallFloat,     // E4M3 without sign, 127 is NaN
};

struct ScaleField {
  std::size_t offset;  // of its first byte in the block
  ScaleKind kind = ScaleKind::kHalf;
  bool is_minimum = false;  // subtracted or added, not multiplied: often 0
};

/// Empty for types without blocks (F32, I8 ...) and for those that are never in files.
std::span<const ScaleField> scale_fields(QuantType type);

/// The value of the field in a block of its type.
float scale_value(const ScaleField& field, const std::byte* block);

}  // namespace lq::codec
