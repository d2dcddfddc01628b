#include "common/linalg/product.h"

#include <gtest/gtest.h>
#include <tuple>
#include <vector>

#include "common/base/errors.h"
#include "tests/linalg/matrices.h"

namespace lq::linalg {
namespace {

class ProductTest : public ::testing::TestWithParam<Compute> {};

TEST_P(ProductTest, IsTheDefinition) {
  for (const auto& [m, n, k] : {std::tuple<std::size_t, std::size_t, std::size_t>{1, 1, 1},
                                {3, 5, 7},
                                {257, 33, 64},
                                {30, 515, 96}}) {
    const Matrix a = matrix_of(random_values(m * k, 1), k, GetParam());
    const Matrix b = matrix_of(random_values(n * k, 2), k, GetParam());
    const std::vector<double> wanted = product_of(a, b);
    std::vector<float> c(m * n, 1.0F);
    multiply(a, packed(b, 2), c.data(), Into::kReplace, 2);
    for (std::size_t i = 0; i < c.size(); ++i) ASSERT_NEAR(c[i], wanted[i], 1e-4) << i;
    multiply(a, packed(b, 2), c.data(), Into::kAdd, 2);
    for (std::size_t i = 0; i < c.size(); ++i) ASSERT_NEAR(c[i], 2 * wanted[i], 2e-4) << i;
  }
}

TEST_P(ProductTest, DoesNotDependOnTheNumberOfThreads) {
  const Matrix a = matrix_of(random_values(600 * 40, 3), 40, GetParam());
  const PackedMatrix b = packed(matrix_of(random_values(1030 * 40, 4), 40, GetParam()), 2);
  std::vector<float> one(600 * 1030), three(600 * 1030);
  multiply(a, b, one.data(), Into::kReplace, 1);
  multiply(a, b, three.data(), Into::kReplace, 3);
  EXPECT_EQ(one, three);
}

TEST_P(ProductTest, OfBlocksIsThatOfTheirValues) {
  const Matrix a = matrix_of(random_values(9 * 12, 5), 12, GetParam());
  const Matrix b = matrix_of(random_values(8 * 20, 6), 20, GetParam());
  std::vector<float> c(3 * 7, -1.0F);
  multiply_block({a, 2, 4, 3, 6}, {b, 1, 10, 5, 6}, c.data(), 7, Into::kReplace);
  std::vector<float> x(6), w(6);
  for (std::size_t i = 0; i < 3; ++i) {
    a.get(2 + i, 4, x);
    for (std::size_t j = 0; j < 5; ++j) {
      b.get(1 + j, 10, w);
      double sum = 0;
      for (std::size_t k = 0; k < 6; ++k)
        sum += static_cast<double>(x[k]) * static_cast<double>(w[k]);
      EXPECT_NEAR(c[i * 7 + j], sum, 1e-5);
    }
    EXPECT_EQ(c[i * 7 + 6], -1.0F) << "between the rows";
  }
}

TEST_P(ProductTest, WeighedRowsAreThoseOfTheTranspose) {
  const Matrix a = matrix_of(random_values(9 * 12, 5), 12, GetParam());
  const Matrix b = matrix_of(random_values(8 * 20, 6), 20, GetParam());
  std::vector<float> c(3 * 7, -1.0F);
  weigh_rows({a, 2, 4, 3, 6}, {b, 1, 10, 6, 5}, c.data(), 7, Into::kReplace);
  weigh_rows({a, 2, 4, 3, 6}, {b, 1, 10, 6, 5}, c.data(), 7, Into::kAdd);
  const std::vector<float> x = values_of(a), w = values_of(b);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 5; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < 6; ++k) {
        sum += double{x[(2 + i) * 12 + 4 + k]} * double{w[(1 + k) * 20 + 10 + j]};
      }
      EXPECT_NEAR(c[i * 7 + j], 2 * sum, 1e-5);
    }
    EXPECT_EQ(c[i * 7 + 6], -1.0F) << "between the rows";
  }
}

TEST_P(ProductTest, WeighsManyRowsInPartsOfTheTerms) {
  constexpr std::size_t kTerms = 2500;
  const Matrix a = matrix_of(random_values(5 * (kTerms + 3), 7), kTerms + 3, GetParam());
  const Matrix b = matrix_of(random_values((kTerms + 2) * 6, 8), 6, GetParam());
  std::vector<float> c(3 * 4, -1.0F);
  weigh_rows_in_parts({a, 1, 3, 3, kTerms}, {b, 2, 1, kTerms, 4}, c.data());
  const std::vector<float> x = values_of(a), w = values_of(b);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < kTerms; ++k) {
        sum += double{x[(1 + i) * (kTerms + 3) + 3 + k]} * double{w[(2 + k) * 6 + 1 + j]};
      }
      EXPECT_NEAR(c[i * 4 + j], sum, 1e-3);
    }
  }
}

TEST_P(ProductTest, TilesHoldWholeUnits) {
  constexpr std::size_t kUnit = 96, kRows = 7 * kUnit, kColumns = 32;
  const Matrix a = matrix_of(random_values(300 * kColumns, 12), kColumns, GetParam());
  const Matrix b = matrix_of(random_values(kRows * kColumns, 13), kColumns, GetParam());
  const PackedMatrix of_b = packed(b, 2, kUnit);
  const std::vector<double> wanted = product_of(a, b);
  const PackedMatrix* const factors[] = {&of_b, &of_b};
  std::vector<int> seen(300 * kRows);
  multiply_tiles(a, factors, 3, [&](const Tile& tile) {
    EXPECT_EQ(tile.column % kUnit, 0U);
    EXPECT_EQ(tile.columns % kUnit, 0U);
    ASSERT_EQ(tile.values.size(), 2U);
    for (std::size_t i = 0; i < tile.rows; ++i) {
      for (std::size_t j = 0; j < tile.columns; ++j) {
        const std::size_t place = (tile.row + i) * kRows + tile.column + j;
        EXPECT_NEAR(tile.line(0, i)[j], wanted[place], 1e-4);
        EXPECT_EQ(tile.line(1, i)[j], tile.line(0, i)[j]);
        ++seen[place];
      }
    }
  });
  EXPECT_EQ(seen, std::vector<int>(300 * kRows, 1));
}

INSTANTIATE_TEST_SUITE_P(All, ProductTest,
                         ::testing::Values(Compute::kReference, Compute::kF32, Compute::kBf16),
                         name_of);

TEST(OneDnn, SaysWhatTheLibrarySaidWhereItFails) {
  constexpr std::size_t kHuge = std::size_t{1} << 62U;
  float c = 0;
  try {
    onednn::multiply({nullptr, kHuge, kHuge, kHuge}, {nullptr, kHuge, kHuge, kHuge},
                     onednn::Right::kRows, Compute::kF32, &c, kHuge, Into::kReplace);
    FAIL() << "nothing was thrown";
  } catch (const base::ConversionError& error) {
    EXPECT_STREQ(error.what(), "cannot multiply matrices");
    EXPECT_NE(error.why().find("oneDNN failed with status"), std::string::npos) << error.why();
  }
}

}  // namespace
}  // namespace lq::linalg
