#include "common/tensor/convert.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace lq::tensor {
namespace {

// The value that a small float format gives to `bits`, from the definition of such formats, in
// double precision.
double by_definition(unsigned bits, int exponent_bits, int mantissa_bits, int bias) {
  const double sign = (bits >> (exponent_bits + mantissa_bits) & 1U) != 0 ? -1.0 : 1.0;
  const int exponent = static_cast<int>(bits >> mantissa_bits & ((1U << exponent_bits) - 1));
  const double mantissa = bits & ((1U << mantissa_bits) - 1);
  const double fraction = std::ldexp(mantissa, -mantissa_bits);
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias);
  return sign * std::ldexp(1.0 + fraction, exponent - bias);
}

// Equal including the sign of zero; any NaN equals any other.
::testing::AssertionResult same_number(float actual, double expected) {
  if (std::isnan(actual) && std::isnan(expected)) return ::testing::AssertionSuccess();
  if (static_cast<double>(actual) == expected && std::signbit(actual) == std::signbit(expected)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << actual << " is not " << expected;
}

TEST(Convert, EveryHalfHasTheValueOfItsDefinition) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const unsigned magnitude = bits & 0x7FFF;
    double expected = by_definition(bits, 5, 10, 15);
    if (magnitude == 0x7C00) expected = (bits & 0x8000) != 0 ? -INFINITY : INFINITY;
    if (magnitude > 0x7C00) expected = NAN;
    ASSERT_TRUE(same_number(f16_to_f32(static_cast<std::uint16_t>(bits)), expected)) << bits;
  }
}

TEST(Convert, EveryHalfSurvivesTheWayThroughFloat32) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    // A signalling NaN becomes quiet.
    const unsigned expected = (bits & 0x7FFF) > 0x7C00 ? bits | 0x0200 : bits;
    ASSERT_EQ(f32_to_f16(f16_to_f32(half)), expected) << bits;
  }
}

// Between two neighbouring halves: the exact middle goes to the even one, a float32 step off it to
// the nearer one.
TEST(Convert, HalvesAreRoundedToTheNearestAndTiesToTheEvenOne) {
  for (unsigned bits = 0; bits < 0x7BFF; ++bits) {
    const float low = f16_to_f32(static_cast<std::uint16_t>(bits));
    const float high = f16_to_f32(static_cast<std::uint16_t>(bits + 1));
    const float middle = (low + high) / 2;
    const unsigned even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(f32_to_f16(middle), even) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafterf(middle, 0)), bits) << bits;
    ASSERT_EQ(f32_to_f16(std::nextafterf(middle, INFINITY)), bits + 1) << bits;
    ASSERT_EQ(f32_to_f16(-middle), even | 0x8000) << bits;
  }
}

TEST(Convert, HalvesBeyondTheRangeBecomeInfinity) {
  EXPECT_EQ(f32_to_f16(65504.0F), 0x7BFF);
  EXPECT_EQ(f32_to_f16(std::nextafterf(65520.0F, 0)), 0x7BFF);
  EXPECT_EQ(f32_to_f16(65520.0F), 0x7C00);
  EXPECT_EQ(f32_to_f16(-1e30F), 0xFC00);
  EXPECT_EQ(f32_to_f16(-INFINITY), 0xFC00);
}

TEST(Convert, HalvesOfRandomFloatsEqualTheCompilersOwn) {
#ifdef __FLT16_MAX__
  std::mt19937 random(7);
  for (int i = 0; i < 2'000'000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    const auto value = std::bit_cast<float>(bits);
    if (std::isnan(value)) continue;
    __extension__ typedef _Float16 Half;
    ASSERT_EQ(f32_to_f16(value), std::bit_cast<std::uint16_t>(static_cast<Half>(value))) << bits;
  }
#else
  GTEST_SKIP() << "this compiler has no 16-bit float type";
#endif
}

TEST(Convert, NaNStaysNaN) {
  for (const std::uint32_t bits : {0x7F800001U, 0x7FC00000U, 0xFF800001U, 0xFFFFFFFFU}) {
    const auto value = std::bit_cast<float>(bits);
    EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(value)))) << bits;
    EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(value)))) << bits;
  }
}

TEST(Convert, EveryBf16IsTheUpperHalfOfItsFloat32) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const float value = bf16_to_f32(static_cast<std::uint16_t>(bits));
    ASSERT_EQ(std::bit_cast<std::uint32_t>(value), bits << 16);
    const unsigned expected = (bits & 0x7FFF) > 0x7F80 ? bits | 0x0040 : bits;
    ASSERT_EQ(f32_to_bf16(value), expected);
  }
}

TEST(Convert, Bf16IsRoundedToTheNearestAndTiesToTheEvenOne) {
  for (unsigned bits = 0; bits < 0x7F80; ++bits) {
    const auto with_lower_half = [bits](std::uint32_t lower) {
      return f32_to_bf16(std::bit_cast<float>(bits << 16 | lower));
    };
    ASSERT_EQ(with_lower_half(0x7FFF), bits);
    ASSERT_EQ(with_lower_half(0x8000), bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(with_lower_half(0x8001), bits + 1);
  }
}

TEST(Convert, EveryEightBitFloatHasTheValueOfItsDefinition) {
  for (unsigned bits = 0; bits < 256; ++bits) {
    const auto byte = static_cast<std::uint8_t>(bits);
    const unsigned magnitude = bits & 0x7F;
    const double e4m3 = magnitude == 0x7F ? NAN : by_definition(bits, 4, 3, 7);
    EXPECT_TRUE(same_number(f8_e4m3_to_f32(byte), e4m3)) << bits;
    double e5m2 = by_definition(bits, 5, 2, 15);
    if (magnitude == 0x7C) e5m2 = bits == 0x7C ? INFINITY : -INFINITY;
    if (magnitude > 0x7C) e5m2 = NAN;
    EXPECT_TRUE(same_number(f8_e5m2_to_f32(byte), e5m2)) << bits;
    const double e8m0 = bits == 255 ? NAN : std::ldexp(1.0, static_cast<int>(bits) - 127);
    EXPECT_TRUE(same_number(f8_e8m0_to_f32(byte), e8m0)) << bits;
    const double e4m3fnuz = bits == 0x80 ? NAN : by_definition(bits, 4, 3, 8);
    EXPECT_TRUE(same_number(f8_e4m3fnuz_to_f32(byte), e4m3fnuz)) << bits;
    const double e5m2fnuz = bits == 0x80 ? NAN : by_definition(bits, 5, 2, 16);
    EXPECT_TRUE(same_number(f8_e5m2fnuz_to_f32(byte), e5m2fnuz)) << bits;
  }
}

TEST(Convert, EightBitFloatsHaveTheLargestValuesOfTheirSpecifications) {
  EXPECT_EQ(f8_e4m3_to_f32(0x7E), 448.0F);
  EXPECT_EQ(f8_e5m2_to_f32(0x7B), 57344.0F);
  EXPECT_EQ(f8_e4m3fnuz_to_f32(0x7F), 240.0F);
  EXPECT_EQ(f8_e5m2fnuz_to_f32(0x7F), 57344.0F);
  EXPECT_EQ(f8_e8m0_to_f32(127), 1.0F);
}

template <class Stored>
std::vector<float> widen(DType dtype, const std::vector<Stored>& values) {
  // One byte before the values, so that they are not aligned.
  std::vector<std::byte> bytes(1);
  const std::span<const std::byte> stored = std::as_bytes(std::span(values));
  bytes.insert(bytes.end(), stored.begin(), stored.end());
  std::vector<float> out(values.size());
  widen_to_f32(dtype, std::span(bytes).subspan(1), out);
  return out;
}

TEST(Convert, RowsOfEveryKindWidenElementByElement) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(widen<float>(DType::kF32, {1.5F, -0.0F, 3e38F}),
            (std::vector<float>{1.5F, -0.0F, 3e38F}));
  EXPECT_EQ(widen<double>(DType::kF64, {0.1, -2.5, 1e300}), (std::vector<float>{0.1F, -2.5F, inf}));
  EXPECT_EQ(widen<std::uint16_t>(DType::kF16, {0x3C00, 0xC000}), (std::vector<float>{1, -2}));
  EXPECT_EQ(widen<std::uint16_t>(DType::kBF16, {0x3F80, 0xC000}), (std::vector<float>{1, -2}));
  EXPECT_EQ(widen<std::uint8_t>(DType::kF8E4M3, {0x38, 0x7E}), (std::vector<float>{1, 448}));
  EXPECT_EQ(widen<std::uint8_t>(DType::kF8E5M2, {0x3C, 0xFB}), (std::vector<float>{1, -57344}));
  EXPECT_EQ(widen<std::uint8_t>(DType::kF8E8M0, {127, 130}), (std::vector<float>{1, 8}));
  EXPECT_EQ(widen<std::uint8_t>(DType::kF8E4M3FNUZ, {0x40, 0x7F}), (std::vector<float>{1, 240}));
  EXPECT_EQ(widen<std::uint8_t>(DType::kF8E5M2FNUZ, {0x40, 0xC0}), (std::vector<float>{1, -1}));
  EXPECT_EQ(widen<float>(DType::kF32, {}), std::vector<float>{});
}

}  // namespace
}  // namespace lq::tensor
