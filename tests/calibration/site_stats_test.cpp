#include "common/calibration/site_stats.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace lq::calibration {
namespace {

using linalg::Compute;
using linalg::Matrix;

/// [n, d] of correlated channels, some of them large, one silent.
std::vector<float> some_rows(std::size_t n, std::size_t d, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> rows(n * d);
  for (std::size_t t = 0; t < n; ++t) {
    const float shared = normal(random);
    for (std::size_t i = 0; i < d; ++i) {
      const float size = i % 17 == 3 ? 30.0F : 1.0F;
      rows[t * d + i] = i == 5 ? 0 : size * (normal(random) + shared);
    }
  }
  return rows;
}

Matrix matrix_of(const std::vector<float>& rows, std::size_t d, Compute compute) {
  Matrix x(rows.size() / d, d, compute);
  for (std::size_t t = 0; t < x.rows(); ++t) x.set_row(t, std::span(rows).subspan(t * d, d));
  return x;
}

class SiteStatsTest : public ::testing::TestWithParam<Compute> {
 protected:
  static constexpr std::size_t kTokens = 150, kWidth = 300;
  const std::vector<float> rows_ = some_rows(kTokens, kWidth);

  SiteStats stats(GramKind kind, int n_threads = 2) const {
    SiteStats made(kind, kWidth);
    linalg::GramProducts products(n_threads);
    made.add_rows(matrix_of(rows_, kWidth, GetParam()), products, n_threads);
    return made;
  }
  /// Values as the compute type holds them.
  std::vector<float> rounded() const {
    const Matrix x = matrix_of(rows_, kWidth, GetParam());
    std::vector<float> values(rows_.size());
    for (std::size_t t = 0; t < kTokens; ++t) {
      x.get(t, 0, std::span(values).subspan(t * kWidth, kWidth));
    }
    return values;
  }
};

INSTANTIATE_TEST_SUITE_P(Types, SiteStatsTest,
                         ::testing::Values(Compute::kReference, Compute::kF32, Compute::kBf16));

TEST_P(SiteStatsTest, AreSumsOverTokens) {
  const SiteStats made = stats(GramKind::kNone);
  const std::vector<float> x = rounded();
  EXPECT_EQ(made.count, 150);
  EXPECT_TRUE(made.gram.empty());
  for (std::size_t i = 0; i < kWidth; ++i) {
    double sum = 0, sum_abs = 0, sum_sq = 0;
    float max_abs = 0;
    for (std::size_t t = 0; t < kTokens; ++t) {
      const float value = x[t * kWidth + i];
      sum += value;
      sum_abs += std::abs(value);
      sum_sq += double{value} * value;
      max_abs = std::max(max_abs, std::abs(value));
    }
    EXPECT_NEAR(made.sum[i], sum, 1e-6 * sum_abs);
    EXPECT_NEAR(made.sum_abs[i], sum_abs, 1e-6 * sum_abs);
    EXPECT_NEAR(made.sum_sq[i], sum_sq, 1e-6 * sum_sq);
    EXPECT_EQ(made.max_abs[i], max_abs);
  }
}

TEST_P(SiteStatsTest, KeepTheSquaresOfTheirKind) {
  const std::vector<float> x = rounded();
  for (const GramKind kind : {GramKind::kBlock, GramKind::kFull}) {
    const SiteStats made = stats(kind);
    std::size_t covered = 0;
    for (const GramSquare& square : gram_squares(kind, kWidth)) {
      covered += square.n;
      for (std::size_t i = 0; i < square.n; ++i) {
        for (std::size_t j = i; j < square.n; j += 7) {
          double sum = 0, size = 0;
          for (std::size_t t = 0; t < kTokens; ++t) {
            const double product =
                double{x[t * kWidth + square.first + i]} * double{x[t * kWidth + square.first + j]};
            sum += product;
            size += std::abs(product);
          }
          ASSERT_NEAR(made.gram[square.place + i * square.n + j], sum, 1e-5 * size + 1e-6);
        }
      }
    }
    EXPECT_EQ(covered, kWidth);
  }
  EXPECT_EQ(gram_squares(GramKind::kBlock, kWidth).size(), 3U);
  EXPECT_EQ(gram_squares(GramKind::kFull, kWidth).size(), 1U);
  EXPECT_EQ(gram_pairs(GramKind::kBlock, kWidth), 2 * 128U * 127 / 2 + 44U * 43 / 2);
}

TEST_P(SiteStatsTest, AreTheSameForAnyNumberOfThreads) {
  const SiteStats one = stats(GramKind::kFull, 1);
  for (const int n_threads : {2, 3}) {
    const SiteStats more = stats(GramKind::kFull, n_threads);
    EXPECT_EQ(more.sum, one.sum);
    EXPECT_EQ(more.sum_sq, one.sum_sq);
    for (std::size_t i = 0; i < kWidth; ++i) {
      for (std::size_t j = i; j < kWidth; ++j) {
        ASSERT_EQ(more.gram[i * kWidth + j], one.gram[i * kWidth + j]);
      }
    }
  }
}

TEST(SiteStats, OfTwoPartsAddUp) {
  const std::vector<float> first = some_rows(64, 40, 1), second = some_rows(96, 40, 2);
  SiteStats a(GramKind::kFull, 40), b(GramKind::kFull, 40), both(GramKind::kFull, 40);
  const Matrix x = matrix_of(first, 40, Compute::kF32), y = matrix_of(second, 40, Compute::kF32);
  linalg::GramProducts products(1);
  a.add_rows(x, products, 1);
  b.add_rows(y, products, 1);
  both.add_rows(x, products, 1);
  both.add_rows(y, products, 1);
  a.add(b, 2);
  EXPECT_EQ(a.count, 160);
  EXPECT_EQ(a.max_abs, both.max_abs);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_NEAR(a.sum_sq[i], both.sum_sq[i], 1e-9 * both.sum_sq[i]);
    EXPECT_NEAR(a.gram[i * 40 + i], both.gram[i * 40 + i], 1e-5 * both.sum_sq[i]);
  }
}

}  // namespace
}  // namespace lq::calibration
