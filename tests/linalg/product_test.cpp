#include "common/linalg/product.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "common/tensor/convert.h"

namespace lq::linalg {
namespace {

std::vector<float> random_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

Matrix matrix_of(const std::vector<float>& values, std::size_t columns, Compute compute) {
  Matrix matrix(values.size() / columns, columns, compute);
  for (std::size_t row = 0; row < matrix.rows(); ++row) {
    matrix.set_row(row, std::span(values).subspan(row * columns, columns));
  }
  return matrix;
}

/// The definition: a b^T in float64 over the values as the matrices hold them.
std::vector<double> product_of(const Matrix& a, const Matrix& b) {
  std::vector<double> c(a.rows() * b.rows());
  std::vector<float> x(a.columns()), w(a.columns());
  for (std::size_t i = 0; i < a.rows(); ++i) {
    a.get(i, 0, x);
    for (std::size_t j = 0; j < b.rows(); ++j) {
      b.get(j, 0, w);
      for (std::size_t k = 0; k < x.size(); ++k) {
        c[i * b.rows() + j] += static_cast<double>(x[k]) * static_cast<double>(w[k]);
      }
    }
  }
  return c;
}

class ProductTest : public ::testing::TestWithParam<Compute> {};

TEST(Matrix, RoundsToItsType) {
  Matrix exact(2, 3, Compute::kF32), rounded(2, 3, Compute::kBf16);
  const std::vector<float> values = {1.0F, 1.0F / 3.0F, -1e-8F};
  std::vector<float> out(3);
  exact.set_row(1, values);
  exact.get(1, 0, out);
  EXPECT_EQ(out, values);
  rounded.set_row(1, values);
  rounded.get(1, 0, out);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(out[i], tensor::bf16_to_f32(tensor::f32_to_bf16(values[i])));
  }
  rounded.set(0, 1, std::span(values).first(2));
  rounded.get(0, 1, std::span(out).first(2));
  EXPECT_EQ(out[0], 1.0F);
  EXPECT_EQ(rounded.row_bytes(), 6U);
}

TEST_P(ProductTest, IsTheDefinition) {
  for (const auto& [m, n, k] : {std::tuple<std::size_t, std::size_t, std::size_t>{1, 1, 1},
                                {3, 5, 7},
                                {257, 33, 64},
                                {30, 515, 96}}) {
    const Matrix a = matrix_of(random_values(m * k, 1), k, GetParam());
    const Matrix b = matrix_of(random_values(n * k, 2), k, GetParam());
    const std::vector<double> wanted = product_of(a, b);
    std::vector<float> c(m * n, 1.0F);
    multiply(a, b, c.data(), Into::kReplace, 2);
    for (std::size_t i = 0; i < c.size(); ++i) ASSERT_NEAR(c[i], wanted[i], 1e-4) << i;
    multiply(a, b, c.data(), Into::kAdd, 2);
    for (std::size_t i = 0; i < c.size(); ++i) ASSERT_NEAR(c[i], 2 * wanted[i], 2e-4) << i;
  }
}

TEST_P(ProductTest, DoesNotDependOnTheNumberOfThreads) {
  const Matrix a = matrix_of(random_values(600 * 40, 3), 40, GetParam());
  const Matrix b = matrix_of(random_values(1030 * 40, 4), 40, GetParam());
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

TEST_P(ProductTest, GramIsThatOfTheColumns) {
  constexpr std::size_t kN = 50, kD = 300;
  const Matrix x = matrix_of(random_values(kN * kD, 7), kD, GetParam());
  const Matrix across = transposed(x, 2);
  ASSERT_EQ(across.rows(), kD);
  const std::vector<double> wanted = product_of(across, across);
  std::vector<float> g(kD * kD, 0.0F), again = g;
  add_gram(across, g.data(), 1);
  add_gram(across, again.data(), 3);
  EXPECT_EQ(g, again);
  add_gram(across, g.data(), 2);
  for (std::size_t i = 0; i < kD; ++i) {
    for (std::size_t j = i; j < kD; ++j) ASSERT_NEAR(g[i * kD + j], 2 * wanted[i * kD + j], 1e-3);
  }
}

TEST_P(ProductTest, CrossGramIsThatOfAllPairsOfColumns) {
  constexpr std::size_t kN = 45, kD1 = 270, kD2 = 530;
  const Matrix a = transposed(matrix_of(random_values(kN * kD1, 8), kD1, GetParam()), 2);
  const Matrix b = transposed(matrix_of(random_values(kN * kD2, 9), kD2, GetParam()), 2);
  const std::vector<double> wanted = product_of(a, b);
  std::vector<float> c(kD1 * kD2, 0.5F), again = c;
  add_cross_gram(a, b, c.data(), 1);
  add_cross_gram(a, b, again.data(), 3);
  EXPECT_EQ(c, again);
  for (std::size_t i = 0; i < c.size(); ++i) ASSERT_NEAR(c[i], 0.5 + wanted[i], 1e-3) << i;
}

std::string name_of(const ::testing::TestParamInfo<Compute>& compute) {
  switch (compute.param) {
    case Compute::kReference:
      return "Reference";
    case Compute::kF32:
      return "F32";
    default:
      return "Bf16";
  }
}

INSTANTIATE_TEST_SUITE_P(All, ProductTest,
                         ::testing::Values(Compute::kReference, Compute::kF32, Compute::kBf16),
                         name_of);

}  // namespace
}  // namespace lq::linalg
