#include "common/behaviour/prediction_rows.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace lq::behaviour {
namespace {

/// Of sizes below, at and beyond what is summed at once.
constexpr std::size_t kSizes[] = {1, 2, 15, 16, 17, 2047, 2048, 2049, 5000, 49152};

std::vector<float> row_of(std::size_t n, double seed) {
  std::vector<float> row(n);
  for (std::size_t i = 0; i < n; ++i) row[i] = static_cast<float>(8 * std::sin(seed * double(i)));
  return row;
}

double exact_log_sum(const std::vector<float>& row) {
  double sum = 0;
  for (const float value : row) sum += std::exp(double{value});
  return std::log(sum);
}

TEST(PredictionRows, SumExponentials) {
  for (const std::size_t n : kSizes) {
    const std::vector<float> row = row_of(n, 1.3);
    EXPECT_NEAR(log_sum_exp(row), exact_log_sum(row), 3e-7) << n;
  }
  EXPECT_NEAR(log_sum_exp(std::vector{1000.0F, 1000.0F}), 1000 + std::log(2.0), 1e-6);
}

TEST(PredictionRows, DivergeByTheDefinition) {
  for (const std::size_t n : kSizes) {
    const std::vector<float> p = row_of(n, 1.3), q = row_of(n, 1.3001);
    const double norm_p = exact_log_sum(p), norm_q = exact_log_sum(q);
    double exact = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double log_p = double{p[i]} - norm_p;
      exact += std::exp(log_p) * (log_p - (double{q[i]} - norm_q));
    }
    EXPECT_NEAR(divergence({p, log_sum_exp(p)}, {q, log_sum_exp(q)}), exact,
                1e-6 * std::max(1.0, exact))
        << n;
  }
}

TEST(PredictionRows, DoNotDivergeByAConstant) {
  std::vector<float> p = row_of(3000, 0.7), q = p;
  for (float& value : q) value += 4;
  EXPECT_NEAR(divergence({p, log_sum_exp(p)}, {q, log_sum_exp(q)}), 0, 1e-6);
  EXPECT_EQ(divergence({p, log_sum_exp(p)}, {p, log_sum_exp(p)}), 0);
}

TEST(PredictionRows, FindTheFirstOfTheLikeliest) {
  EXPECT_EQ(likeliest(std::vector{1.0F, 3.0F, 2.0F, 3.0F}), 1);
  std::vector<float> row(100, -1.0F);
  row[77] = 0;
  EXPECT_EQ(likeliest(row), 77);
}

}  // namespace
}  // namespace lq::behaviour
