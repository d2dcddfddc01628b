#include "common/kernels/error_sums.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "common/kernels/error_sums_detail.h"
#include "tests/kernels/targets.h"

namespace lq::kernels {
namespace {

struct Pair {
  std::vector<float> w, q;

  explicit Pair(std::size_t n) : w(n), q(n) {
    std::mt19937 random(static_cast<unsigned>(n));
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < n; ++i) {
      w[i] = normal(random) * (i % 7 == 0 ? 50.0F : 1.0F);
      q[i] = w[i] + 0.1F * normal(random);
    }
  }
};

void expect_equal(const ErrorSums& a, const ErrorSums& b) {
  EXPECT_EQ(a.ww, b.ww);
  EXPECT_EQ(a.wq, b.wq);
  EXPECT_EQ(a.qq, b.qq);
  EXPECT_EQ(a.diff, b.diff);
  EXPECT_EQ(a.diff_sq, b.diff_sq);
  EXPECT_EQ(a.max_diff, b.max_diff);
  EXPECT_EQ(a.n, b.n);
}

constexpr std::size_t kCounts[] = {0, 1, 15, 16, 17, 1023, 1024, 1025, 5000};

TEST(ErrorSums, AreThoseOfTheValues) {
  for (const std::size_t n : kCounts) {
    const Pair pair(n);
    ErrorSums found;
    add_error_sums(pair.w.data(), pair.q.data(), n, found);
    double ww = 0, wq = 0, qq = 0, diff = 0, sum_abs = 0, diff_sq = 0, max_diff = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double w = double{pair.w[i]}, q = double{pair.q[i]};
      const double d = double{pair.q[i] - pair.w[i]};
      ww += w * w;
      wq += w * q;
      qq += q * q;
      diff += d;
      sum_abs += std::abs(d);
      diff_sq += d * d;
      max_diff = std::max(max_diff, std::abs(d));
    }
    ASSERT_NEAR(found.ww, ww, 0x1p-17 * ww);
    ASSERT_NEAR(found.wq, wq, 0x1p-17 * (ww + qq));
    ASSERT_NEAR(found.qq, qq, 0x1p-17 * qq);
    ASSERT_NEAR(found.diff, diff, 0x1p-17 * sum_abs);
    ASSERT_NEAR(found.diff_sq, diff_sq, 0x1p-17 * diff_sq);
    ASSERT_EQ(double{found.max_diff}, max_diff);
    ASSERT_EQ(found.n, static_cast<double>(n));
  }
}

TEST(ErrorSums, AreTheSameBitsOnEveryTarget) {
  for (const std::size_t n : kCounts) {
    const Pair pair(n + 1);
    ErrorSums expected;
    detail::add_error_sums_reference(pair.w.data() + 1, pair.q.data() + 1, n, expected);
    testing::on_every_target([&] {
      ErrorSums found;
      add_error_sums(pair.w.data() + 1, pair.q.data() + 1, n, found);
      expect_equal(found, expected);
    });
  }
}

TEST(ErrorSums, BlocksOfWholeRunsGiveWhatOneCallGives) {
  const Pair pair(3 * kErrorRun + 5);
  ErrorSums whole, parts;
  add_error_sums(pair.w.data(), pair.q.data(), pair.w.size(), whole);
  for (std::size_t i = 0; i < pair.w.size(); i += 2 * kErrorRun) {
    add_error_sums(pair.w.data() + i, pair.q.data() + i, std::min(2 * kErrorRun, pair.w.size() - i),
                   parts);
  }
  expect_equal(whole, parts);
}

}  // namespace
}  // namespace lq::kernels
