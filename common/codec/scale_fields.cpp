#include "common/codec/scale_fields.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "common/codec/fp4.h"
#include "common/codec/iq.h"
#include "common/codec/low_bit.h"
#include "common/codec/q2_k.h"
#include "common/codec/q3_k.h"
#include "common/codec/q4_0.h"
#include "common/codec/q4_1.h"
#include "common/codec/q4_k.h"
#include "common/codec/q5_0.h"
#include "common/codec/q5_1.h"
#include "common/codec/q5_k.h"
#include "common/codec/q6_k.h"
#include "common/codec/q8_0.h"

namespace lq::codec {
namespace {

constexpr std::size_t kMostFields = 4;

struct Row {
  QuantType type;
  std::size_t n_fields;
  std::array<ScaleField, kMostFields> fields;
};

constexpr Row one(QuantType type, std::size_t offset, ScaleKind kind = ScaleKind::kHalf) {
  return {type, 1, {{{offset, kind}}}};
}
constexpr Row with_minimum(QuantType type, std::size_t scale, std::size_t minimum) {
  return {type, 2, {{{scale}, {minimum, ScaleKind::kHalf, true}}}};
}
constexpr Row small_floats(QuantType type, std::size_t first) {
  Row row{type, kMostFields, {}};
  for (std::size_t i = 0; i < kMostFields; ++i) {
    row.fields[i] = {first + i, ScaleKind::kSmallFloat};
  }
  return row;
}

constexpr std::array kRows = {
    one(QuantType::kQ4_0, offsetof(BlockQ4_0, d)),
    with_minimum(QuantType::kQ4_1, offsetof(BlockQ4_1, d), offsetof(BlockQ4_1, m)),
    one(QuantType::kQ5_0, offsetof(BlockQ5_0, d)),
    with_minimum(QuantType::kQ5_1, offsetof(BlockQ5_1, d), offsetof(BlockQ5_1, m)),
    one(QuantType::kQ8_0, offsetof(BlockQ8_0, d)),
    with_minimum(QuantType::kQ2K, offsetof(BlockQ2K, d), offsetof(BlockQ2K, dmin)),
    one(QuantType::kQ3K, offsetof(BlockQ3K, d)),
    with_minimum(QuantType::kQ4K, offsetof(BlockQ4K, d), offsetof(BlockQ4K, dmin)),
    with_minimum(QuantType::kQ5K, offsetof(BlockQ5K, d), offsetof(BlockQ5K, dmin)),
    one(QuantType::kQ6K, offsetof(BlockQ6K, d)),
    one(QuantType::kIQ2XXS, offsetof(BlockIQ2XXS, d)),
    one(QuantType::kIQ2XS, offsetof(BlockIQ2XS, d)),
    one(QuantType::kIQ3XXS, offsetof(BlockIQ3XXS, d)),
    one(QuantType::kIQ1S, offsetof(BlockIQ1S, d)),
    one(QuantType::kIQ4NL, offsetof(BlockIQ4NL, d)),
    one(QuantType::kIQ3S, offsetof(BlockIQ3S, d)),
    one(QuantType::kIQ2S, offsetof(BlockIQ2S, d)),
    one(QuantType::kIQ4XS, offsetof(BlockIQ4XS, d)),
    one(QuantType::kIQ1M, offsetof(BlockIQ1M, scales), ScaleKind::kScatteredHalf),
    one(QuantType::kTQ1_0, offsetof(BlockTQ1_0, d)),
    one(QuantType::kTQ2_0, offsetof(BlockTQ2_0, d)),
    one(QuantType::kMXFP4, offsetof(BlockMXFP4, exponent), ScaleKind::kPowerOfTwo),
    small_floats(QuantType::kNVFP4, offsetof(BlockNVFP4, scales)),
    one(QuantType::kQ1_0, offsetof(BlockQ1_0, d)),
    one(QuantType::kQ2_0, offsetof(BlockQ2_0, d)),
};

float scattered_half(const std::byte* words) {
  unsigned bits = 0;
  for (unsigned i = 0; i < 4; ++i) {
    bits |= (std::to_integer<unsigned>(words[2 * i + 1]) >> 4) << (4 * i);
  }
  return load_half(static_cast<Half>(bits));
}

float power_of_two(unsigned exponent) {
  constexpr unsigned kNan = 255;
  constexpr int kBias = 128;
  if (exponent == kNan) return std::numeric_limits<float>::quiet_NaN();
  return std::ldexp(1.0F, static_cast<int>(exponent) - kBias);
}

float small_float(unsigned code) {
  constexpr unsigned kNan = 127;
  constexpr int kBias = 7, kMantissaBits = 3;
  const unsigned magnitude = code & kNan;
  if (magnitude == kNan) return std::numeric_limits<float>::quiet_NaN();
  const int exponent = static_cast<int>(magnitude >> kMantissaBits);
  const int mantissa = static_cast<int>(magnitude & 7U);
  const int significand = exponent == 0 ? mantissa : mantissa + (1 << kMantissaBits);
  return std::ldexp(static_cast<float>(significand), std::max(exponent, 1) - kBias - kMantissaBits);
}

}  // namespace

std::span<const ScaleField> scale_fields(QuantType type) {
  const auto row = std::ranges::find(kRows, type, &Row::type);
  if (row == kRows.end()) return {};
  return std::span(row->fields).first(row->n_fields);
}

float scale_value(const ScaleField& field, const std::byte* block) {
  const std::byte* const at = block + field.offset;
  switch (field.kind) {
    case ScaleKind::kHalf:
      return load_half(load_block<Half>(at));
    case ScaleKind::kScatteredHalf:
      return scattered_half(at);
    case ScaleKind::kPowerOfTwo:
      return power_of_two(std::to_integer<unsigned>(*at));
    case ScaleKind::kSmallFloat:
      return small_float(std::to_integer<unsigned>(*at));
  }
  return 0;
}

}  // namespace lq::codec
