#include "common/linalg/cholesky.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "common/parallel/parallel_for.h"

namespace lq::linalg {
namespace {

/// x^T x of random rows, and something on the diagonal.
Matrix gram(std::size_t n, std::size_t n_rows, double damping) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::normal_distribution<double> normal;
  std::vector<double> sums(n * n), x(n);
  for (std::size_t r = 0; r < n_rows; ++r) {
    for (double& value : x) value = normal(random);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) sums[i * n + j] += x[i] * x[j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) sums[i * n + i] += damping;
  Matrix g(n, n, Compute::kF32);
  std::ranges::transform(sums, g.floats(0), [](double sum) { return static_cast<float>(sum); });
  return g;
}

/// Of one tile, of several, of several parts of a sum, and with a last tile that is smaller.
constexpr std::size_t kSizes[] = {1, 17, 256, 257, 700, 1400};

TEST(Cholesky, FactorTimesItsTransposeIsTheMatrix) {
  for (const std::size_t n : kSizes) {
    const Matrix g = gram(n, n + 3, 1.0);
    Matrix l = g;
    ASSERT_TRUE(factor(l, 2));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k <= j; ++k) sum += double{l.floats(i)[k]} * double{l.floats(j)[k]};
        const double size = std::sqrt(double{g.floats(i)[i]} * double{g.floats(j)[j]});
        ASSERT_NEAR(sum, g.floats(i)[j], 1e-6 * size) << n << ": " << i << "," << j;
      }
    }
  }
}

TEST(Cholesky, ReadsTheLowerTriangleAlone) {
  Matrix whole = gram(300, 310, 1.0), lower = whole;
  for (std::size_t i = 0; i < 300; ++i)
    std::fill(lower.floats(i) + i + 1, lower.floats(i) + 300, NAN);
  ASSERT_TRUE(factor(whole, 1));
  ASSERT_TRUE(factor(lower, 1));
  for (std::size_t i = 0; i < 300; ++i) {
    for (std::size_t j = 0; j <= i; ++j) ASSERT_EQ(whole.floats(i)[j], lower.floats(i)[j]);
  }
}

TEST(Cholesky, IsTheSameForAnyNumberOfThreads) {
  const Matrix g = gram(700, 710, 1.0);
  Matrix one = g;
  ASSERT_TRUE(factor(one, 1));
  for (int repetition = 0; repetition < 30; ++repetition) {
    Matrix three = g;
    ASSERT_TRUE(factor(three, 3));
    for (std::size_t i = 0; i < 700; ++i) {
      ASSERT_EQ(std::memcmp(one.floats(i), three.floats(i), (i + 1) * sizeof(float)), 0) << i;
    }
  }
}

// Work memory of the library that threads shared would spoil one call in a thousand or so.
TEST(Cholesky, ThreadsDoNotDisturbOneAnother) {
  constexpr std::size_t kN = 112, kRows = 32;
  Matrix l = gram(kN, kN + 10, 1.0);
  ASSERT_TRUE(factor(l, 1));
  std::vector<float> rows(kRows * kN);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i % 17) - 8;
  std::vector<float> wanted = rows;
  solve_rows(l, wanted.data(), kRows);
  std::vector<int> n_wrong(2);
  parallel::parallel_for(2, 2, [&](std::size_t thread, int) {
    for (int i = 0; i < 10000; ++i) {
      std::vector<float> x = rows;
      solve_rows(l, x.data(), kRows);
      n_wrong[thread] += x == wanted ? 0 : 1;
    }
  });
  EXPECT_EQ(n_wrong, std::vector<int>(2));
}

TEST(Cholesky, SaysWhereAMatrixIsNotPositiveDefinite) {
  Matrix singular = gram(400, 20, 0.0);
  singular.floats(399)[399] = -1.0F;
  EXPECT_FALSE(factor(singular, 2));
  Matrix nan = gram(400, 410, 1.0);
  nan.floats(300)[200] = NAN;
  EXPECT_FALSE(factor(nan, 2));
}

TEST(Cholesky, SolvesRowsFromSeveralThreads) {
  constexpr std::size_t kN = 250, kRows = 40;
  const Matrix g = gram(kN, kN + 3, 1.0);
  Matrix l = g;
  ASSERT_TRUE(factor(l, 2));
  std::vector<double> x(kRows * kN);
  std::vector<float> b(x.size());
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (double& value : x) value = normal(random);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t i = 0; i < kN; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < kN; ++j) sum += double{g.floats(i)[j]} * x[r * kN + j];
      b[r * kN + i] = static_cast<float>(sum);
    }
  }
  parallel::parallel_for(kRows / 10, 4,
                         [&](std::size_t i, int) { solve_rows(l, b.data() + i * 10 * kN, 10); });
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(b[i], x[i], 1e-2);
}

TEST(Cholesky, NamesItsLibrary) {
  EXPECT_EQ(blas_description().rfind("OpenBLAS 0.", 0), 0U) << blas_description();
}

}  // namespace
}  // namespace lq::linalg
