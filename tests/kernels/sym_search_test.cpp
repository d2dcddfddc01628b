#include "common/kernels/sym_search.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "common/kernels/absmax.h"
#include "common/kernels/absmax_detail.h"
#include "common/kernels/sym_detail.h"
#include "common/tensor/convert.h"
#include "tests/kernels/inputs.h"
#include "tests/kernels/targets.h"

namespace lq::kernels {
namespace {

std::vector<float> random_weights(std::size_t n) {
  std::mt19937 random(5);
  std::lognormal_distribution<float> spread(-1.0F, 1.0F);
  std::vector<float> weights(n);
  for (float& weight : weights) weight = spread(random);
  return weights;
}

template <class Search, class Reference>
void expect_parity_super(Search search, Reference reference) {
  const std::vector<float> weights = random_weights(256);
  for (const auto& row : testing::difficult_rows(512)) {
    for (const float* w : {static_cast<const float*>(nullptr), weights.data()}) {
      SymSuperBlock expected;
      std::memset(&expected, 0xAB, sizeof(expected));
      const float* const misaligned = row.values.data() + 1;
      reference(misaligned, w, expected);
      EXPECT_LT(expected.d & 0x7FFF, 0x7C00) << row.name;
      testing::on_every_target([&] {
        SymSuperBlock found;
        std::memset(&found, 0xAB, sizeof(found));
        search(misaligned, w, found);
        EXPECT_EQ(std::memcmp(&expected, &found, sizeof(found)), 0) << row.name;
      });
    }
  }
}

template <class Search, class Reference>
void expect_parity_blocks(Search search, Reference reference) {
  const std::vector<float> weights = random_weights(512);
  const float* block_weights[kSymLanes];
  for (int b = 0; b < kSymLanes; ++b) block_weights[b] = weights.data() + 32 * b;
  for (const auto& row : testing::difficult_rows(513)) {
    for (const int n_blocks : {1, 3, 16}) {
      SymBlocks32 expected;
      std::memset(&expected, 0xAB, sizeof(expected));
      reference(row.values.data() + 1, block_weights, n_blocks, expected);
      // Canary: blocks that were not asked for stay untouched.
      if (n_blocks < kSymLanes) {
        EXPECT_EQ(expected.codes[32 * n_blocks], 0xAB);
      }
      testing::on_every_target([&] {
        SymBlocks32 found;
        std::memset(&found, 0xAB, sizeof(found));
        search(row.values.data() + 1, block_weights, n_blocks, found);
        EXPECT_EQ(std::memcmp(&expected, &found, sizeof(found)), 0) << row.name;
      });
    }
  }
}

TEST(SymSearch, Q6KGivesTheReferencesBytesOnEveryTarget) {
  expect_parity_super(sym_q6_k, detail::sym_q6_k_reference);
}

TEST(SymSearch, Q3KGivesTheReferencesBytesOnEveryTarget) {
  expect_parity_super(sym_q3_k, detail::sym_q3_k_reference);
}

TEST(SymSearch, Q4_0GivesTheReferencesBytesOnEveryTarget) {
  expect_parity_blocks(sym_q4_0, detail::sym_q4_0_reference);
}

TEST(SymSearch, Q5_0GivesTheReferencesBytesOnEveryTarget) {
  expect_parity_blocks(sym_q5_0, detail::sym_q5_0_reference);
}

TEST(SymSearch, AWeightMovesTheErrorToTheOthers) {
  const auto row = testing::difficult_rows(256)[6].values;
  std::vector<float> weights(256, 0.01F);
  for (std::size_t i = 0; i < 256; i += 16) weights[i] = 1.0F;
  SymSuperBlock plain;
  SymSuperBlock weighted;
  sym_q3_k(row.data(), nullptr, plain);
  sym_q3_k(row.data(), weights.data(), weighted);
  const auto heavy_error = [&](const SymSuperBlock& block) {
    double sum = 0;
    for (std::size_t i = 0; i < 256; i += 16) {
      const float value = tensor::f16_to_f32(block.d) *
                          static_cast<float>(block.scales[i / 16] * (block.codes[i] - 4));
      sum += double{value - row[i]} * double{value - row[i]};
    }
    return sum;
  };
  EXPECT_LT(heavy_error(weighted), 0.3 * heavy_error(plain));
}

// One weight far above the rest, on an element that rounds to zero on the grid of the largest.
TEST(SymSearch, AHeavyElementIsNotRoundedAwayForALargerOne) {
  std::vector<float> x(256), weights(256, 1.0F);
  for (std::size_t i = 0; i < 256; ++i) x[i] = i % 16 == 3 ? 0.56F : i % 16 == 10 ? -0.03F : 0.1F;
  for (std::size_t i = 10; i < 256; i += 16) weights[i] = 30000.0F;
  SymSuperBlock block;
  sym_q3_k(x.data(), weights.data(), block);
  for (std::size_t i = 10; i < 256; i += 16) {
    const float value = tensor::f16_to_f32(block.d) *
                        static_cast<float>(block.scales[i / 16] * (block.codes[i] - 4));
    EXPECT_NEAR(value, x[i], 0.002F) << i;
  }
}

TEST(SymSearch, OneOutlierAndValuesAllAlikeAreExact) {
  const std::vector<float> weights = random_weights(32);
  const float* const block_weights[] = {weights.data(), weights.data()};
  std::vector<float> x(64, 0.0235748291F);  // a float16
  std::fill(x.begin() + 32, x.end(), 0.0F);
  x[40] = -0.0181884766F;  // and another
  for (const auto& [search, n] : {std::pair{&sym_q4_0, 8}, std::pair{&sym_q5_0, 16}}) {
    SymBlocks32 blocks;
    search(x.data(), block_weights, 2, blocks);
    for (std::size_t i = 0; i < 64; ++i) {
      const float value =
          tensor::f16_to_f32(blocks.d[i / 32]) * static_cast<float>(int{blocks.codes[i]} - n);
      EXPECT_EQ(value, x[i]) << i;
    }
  }
}

TEST(Absmax, TheLargestMagnitudeIsTheReferencesOnEveryTargetAtEveryLength) {
  for (const auto& row : testing::difficult_rows(513)) {
    for (const std::size_t n : {0U, 1U, 3U, 4U, 16U, 63U, 64U, 65U, 512U}) {
      const std::span<const float> values(row.values.data() + 1, n);
      const float expected = detail::largest_magnitude_reference(values);
      testing::on_every_target([&] { EXPECT_EQ(largest_magnitude(values), expected) << row.name; });
    }
  }
}

TEST(Absmax, TheLargestMagnitudeIsFoundInEveryPlace) {
  std::vector<float> values(131, 0.5F);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = -2.0F;
    testing::on_every_target([&] { EXPECT_EQ(largest_magnitude(values), 2.0F) << i; });
    values[i] = 0.5F;
  }
}

TEST(Absmax, Q8_0GivesTheReferencesBytesOnEveryTarget) {
  for (const auto& row : testing::difficult_rows(513)) {
    float expected_d[16];
    std::int8_t expected[512];
    detail::absmax_q8_0_reference(row.values.data() + 1, 16, expected_d, expected);
    testing::on_every_target([&] {
      float d[16];
      std::int8_t codes[512];
      absmax_q8_0(row.values.data() + 1, 16, d, codes);
      EXPECT_EQ(std::memcmp(d, expected_d, sizeof(d)), 0) << row.name;
      EXPECT_EQ(std::memcmp(codes, expected, sizeof(codes)), 0) << row.name;
    });
  }
}

TEST(Absmax, SignedGivesTheReferencesBytesOnEveryTarget) {
  for (const auto& row : testing::difficult_rows(513)) {
    for (const int n : {8, 16}) {
      float expected_d[16];
      std::uint8_t expected[512];
      detail::absmax_signed_reference(row.values.data() + 1, 16, n, expected_d, expected);
      testing::on_every_target([&] {
        float d[16];
        std::uint8_t codes[512];
        absmax_signed(row.values.data() + 1, 16, n, d, codes);
        EXPECT_EQ(std::memcmp(d, expected_d, sizeof(d)), 0) << row.name;
        EXPECT_EQ(std::memcmp(codes, expected, sizeof(codes)), 0) << row.name;
      });
    }
  }
}

TEST(Absmax, HalvesAreRoundedAwayFromZeroAndJustBelowAHalfIsNot) {
  float x[32] = {127.0F, 0.5F, -0.5F, 0.49999997F, 2.5F, -2.5F};
  float d;
  std::int8_t codes[32];
  absmax_q8_0(x, 1, &d, codes);
  EXPECT_EQ(d, 1.0F);
  EXPECT_EQ(codes[1], 1);
  EXPECT_EQ(codes[2], -1);
  EXPECT_EQ(codes[3], 0);
  EXPECT_EQ(codes[4], 3);
  EXPECT_EQ(codes[5], -3);
}

}  // namespace
}  // namespace lq::kernels
