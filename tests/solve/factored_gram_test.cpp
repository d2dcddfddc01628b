#include "common/solve/factored_gram.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

namespace lq::solve {
namespace {

linalg::AlignedVector<float> random_gram(std::size_t n, std::size_t n_tokens) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::normal_distribution<float> normal;
  linalg::AlignedVector<float> gram(n * n, 0.0F);
  std::vector<float> x(n);
  for (std::size_t t = 0; t < n_tokens; ++t) {
    for (std::size_t i = 0; i < n; ++i) x[i] = normal(random) * static_cast<float>(1 + i % 7);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) gram[i * n + j] += x[i] * x[j];
    }
  }
  return gram;
}

float element(const linalg::Matrix& matrix, std::size_t row, std::size_t column) {
  float value = 0;
  matrix.get(row, column, {&value, 1});
  return value;
}

TEST(FactoredGram, FeedbackAndPivotsMakeUpH) {
  constexpr std::size_t kN = 150;
  const FactoredGram h(random_gram(kN, 200), kN, {}, false, 2);
  ASSERT_TRUE(h.is_solvable());
  const auto feedback = [&](std::size_t i, std::size_t k) {
    return i == k ? 1.0 : i < k ? double{element(h.feedback(), k, i)} : 0.0;
  };
  for (std::size_t i = 0; i < kN; i += 7) {
    for (std::size_t j = 0; j < kN; j += 11) {
      double sum = 0;
      for (std::size_t k = 0; k < kN; ++k) {
        sum += feedback(i, k) * double{h.pivots()[k]} * feedback(j, k);
      }
      const double expected = double{element(h.damped(), h.order()[i], h.order()[j])};
      ASSERT_NEAR(sum, expected, 1e-2) << i << "," << j;
    }
  }
}

TEST(FactoredGram, AddsAShareOfTheMeanOrOfEachChannel) {
  const linalg::AlignedVector<float> gram = {4, 0, 0, 2};
  const FactoredGram mean(gram, 2, {0.1, false}, false, 1);
  EXPECT_FLOAT_EQ(element(mean.damped(), 0, 0), 4.3F);
  EXPECT_FLOAT_EQ(element(mean.damped(), 1, 1), 2.3F);
  const FactoredGram channel(gram, 2, {0.1, true}, false, 1);
  EXPECT_FLOAT_EQ(element(channel.damped(), 0, 0), 4.4F);
  EXPECT_FLOAT_EQ(element(channel.damped(), 1, 1), 2.2F);
}

TEST(FactoredGram, GivesDeadColumnsTheMeanOfTheOthers) {
  const linalg::AlignedVector<float> gram = {4, 0, 1, 0, 0, 0, 1, 0, 2};
  const FactoredGram h(gram, 3, {}, false, 1);
  EXPECT_EQ(h.n_dead(), 1U);
  EXPECT_FLOAT_EQ(element(h.damped(), 1, 1), 3.0F);
  const FactoredGram none(linalg::AlignedVector<float>(9, 0.0F), 3, {}, false, 1);
  EXPECT_EQ(none.n_dead(), 3U);
  EXPECT_TRUE(none.is_solvable());
  EXPECT_EQ(element(none.damped(), 2, 2), 1.0F);
}

TEST(FactoredGram, TakesColumnsByFallingDiagonalAndTiesInTheirOrder) {
  const linalg::AlignedVector<float> gram = {1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2};
  const FactoredGram natural(gram, 4, {}, false, 1);
  EXPECT_EQ(std::vector<std::uint32_t>(natural.order().begin(), natural.order().end()),
            (std::vector<std::uint32_t>{1, 3, 0, 2}));
  EXPECT_FALSE(natural.is_permuted());
  const FactoredGram placed(gram, 4, {}, true, 1);
  EXPECT_TRUE(placed.is_permuted());
  EXPECT_EQ(std::vector<std::uint32_t>(placed.columns().begin(), placed.columns().end()),
            (std::vector<std::uint32_t>{1, 3, 0, 2}));
  EXPECT_EQ(placed.order()[2], 2U);
  EXPECT_FLOAT_EQ(element(placed.damped(), 0, 0), 3.0175F);
}

TEST(FactoredGram, RaisesTheDampingOfMatricesThatAreNotPositiveDefinite) {
  // Correlations beyond 1, as rounded statistics can have them.
  const linalg::AlignedVector<float> gram = {1, 1.05F, 1.05F, 1};
  const FactoredGram h(gram, 2, {0.01, false}, false, 1);
  ASSERT_TRUE(h.is_solvable());
  EXPECT_DOUBLE_EQ(h.damping(), 0.09);
}

TEST(FactoredGram, SaysWhereNoDampingHelps) {
  EXPECT_FALSE(
      FactoredGram(linalg::AlignedVector<float>{1, 5, 5, 1}, 2, {}, false, 1).is_solvable());
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(
      FactoredGram(linalg::AlignedVector<float>{1, kNan, kNan, 1}, 2, {}, false, 1).is_solvable());
  EXPECT_FALSE(
      FactoredGram(linalg::AlignedVector<float>{kInf, 0, 0, 1}, 2, {}, false, 1).is_solvable());
}

TEST(FactoredGram, DividesRowsByH) {
  constexpr std::size_t kN = 90;
  const FactoredGram h(random_gram(kN, 200), kN, {}, false, 1);
  std::vector<double> x(2 * kN);
  std::vector<float> b(2 * kN);
  std::mt19937 random(4);
  std::normal_distribution<double> normal;
  for (double& value : x) value = normal(random);
  for (std::size_t r = 0; r < 2; ++r) {
    for (std::size_t i = 0; i < kN; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < kN; ++j) {
        sum += x[r * kN + j] * double{element(h.damped(), i, j)};
      }
      b[r * kN + i] = static_cast<float>(sum);
    }
  }
  h.divide(b);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(b[i], x[i], 1e-4);
}

}  // namespace
}  // namespace lq::solve
