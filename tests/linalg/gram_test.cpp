#include "common/linalg/gram.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "tests/linalg/matrices.h"

namespace lq::linalg {
namespace {

class GramTest : public ::testing::TestWithParam<Compute> {};

TEST_P(GramTest, IsTheSumOverTheRows) {
  for (const std::size_t d : {1U, 70U, 300U, 530U}) {
    constexpr std::size_t kN = 50;
    const Matrix x = matrix_of(random_values(kN * d, 7), d, GetParam());
    const Matrix across = transpose_of(x);
    const std::vector<double> wanted = product_of(across, across);
    std::vector<float> g(d * d, 0.5F);
    GramProducts products(2);
    products.add(x, g.data());
    products.add(x, g.data());
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = i; j < d; ++j) {
        ASSERT_NEAR(g[i * d + j], 0.5 + 2 * wanted[i * d + j], 1e-3) << i << ' ' << j;
      }
    }
  }
}

TEST_P(GramTest, OfSquaresIsTheirPartOfTheWhole) {
  constexpr std::size_t kN = 50, kD = 300, kSize = 128;
  const Matrix x = matrix_of(random_values(kN * kD, 7), kD, GetParam());
  const Matrix across = transpose_of(x);
  const std::vector<double> wanted = product_of(across, across);
  std::vector<float> g(2 * kSize * kSize + 44 * 44, 0.5F);
  GramProducts products(3);
  products.add_squares(x, kSize, g.data());
  products.add_squares(x, kSize, g.data());
  std::size_t at = 0;
  for (std::size_t first = 0; first < kD; first += kSize) {
    const std::size_t n = std::min(kSize, kD - first);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        ASSERT_NEAR(g[at++], 0.5 + 2 * wanted[(first + i) * kD + first + j], 1e-3) << i << ' ' << j;
      }
    }
  }
  EXPECT_EQ(at, g.size());
}

TEST_P(GramTest, OfTwoInputsIsAllOfIt) {
  constexpr std::size_t kN = 45, kD1 = 270, kD2 = 530;
  const Matrix a = matrix_of(random_values(kN * kD1, 8), kD1, GetParam());
  const Matrix b = matrix_of(random_values(kN * kD2, 9), kD2, GetParam());
  const std::vector<double> wanted = product_of(transpose_of(a), transpose_of(b));
  std::vector<float> c(kD1 * kD2, 0.5F);
  GramProducts products(2);
  products.add_cross(a, b, c.data());
  for (std::size_t i = 0; i < c.size(); ++i) ASSERT_NEAR(c[i], 0.5 + wanted[i], 1e-3) << i;
}

TEST_P(GramTest, DoesNotDependOnThreadsOrOnWhatCameBefore) {
  constexpr std::size_t kD = 520;
  const Matrix x = matrix_of(random_values(64 * kD, 10), kD, GetParam());
  const Matrix longer = matrix_of(random_values(100 * kD, 11), kD, GetParam());
  std::vector<float> one(kD * kD, 1.0F), three = one, other = one;
  GramProducts(1).add(x, one.data());
  GramProducts products(3);
  products.add_cross(longer, longer, other.data());
  products.add(x, three.data());
  EXPECT_EQ(one, three);
}

TEST(Gram, MemoryIsStated) {
  EXPECT_GE(GramProducts::bytes(2048, 4096, Compute::kBf16, 1), 2U * 2048 * 4096 * 2);
  EXPECT_LT(GramProducts::bytes(2048, 11008, Compute::kBf16, 2), 128U << 20);
}

INSTANTIATE_TEST_SUITE_P(All, GramTest,
                         ::testing::Values(Compute::kReference, Compute::kF32, Compute::kBf16),
                         name_of);

}  // namespace
}  // namespace lq::linalg
