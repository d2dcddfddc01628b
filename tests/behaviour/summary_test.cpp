// Numbers of summaries against examples worked out by hand.

#include "common/behaviour/summary.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace lq::behaviour {
namespace {

void expect_near(const Estimate& estimate, double value, double low, double high,
                 double tolerance) {
  EXPECT_NEAR(estimate.value, value, tolerance);
  EXPECT_NEAR(estimate.low, low, tolerance);
  EXPECT_NEAR(estimate.high, high, tolerance);
}

TEST(Summary, HasStudentsT) {  // of any table
  EXPECT_NEAR(student_t(1), 12.7062, 1e-4);
  EXPECT_NEAR(student_t(2), 4.3027, 1e-4);
  EXPECT_NEAR(student_t(3), 3.1824, 1e-4);
  EXPECT_NEAR(student_t(5), 2.5706, 1e-4);
  EXPECT_NEAR(student_t(6), 2.4469, 2e-3);
  EXPECT_NEAR(student_t(10), 2.2281, 2e-4);
  EXPECT_NEAR(student_t(30), 2.0423, 1e-4);
  EXPECT_NEAR(student_t(100000), 1.9600, 1e-4);
}

// Values 1, 2 | 4 | 5, 3 of three windows: mean 3; e = -3, 1, 2; se^2 = 3/2 * 14 / 25 = 0.84.
TEST(Summary, MeanTakesWindowsForWhatIsIndependent) {
  const std::vector<double> values = {1, 2, 4, 5, 3};
  const std::vector<std::size_t> windows = {0, 0, 1, 3, 3};
  const double half = 4.302653 * std::sqrt(0.84);
  expect_near(mean_of(values, windows), 3, 3 - half, 3 + half, 1e-6);
}

// The same in one window: the deviations -2, -1, 1, 2, 0 give se^2 = 5/4 * 10 / 25 = 0.5.
TEST(Summary, MeanOfOneWindowTakesItsPositionsForIndependent) {
  const std::vector<double> values = {1, 2, 4, 5, 3};
  const std::vector<std::size_t> windows(5, 7);
  const double half = 2.776445 * std::sqrt(0.5);
  expect_near(mean_of(values, windows), 3, 3 - half, 3 + half, 1e-6);
}

TEST(Summary, MeanOfOneValueHasNoWidth) {
  expect_near(mean_of(std::vector{2.5}, std::vector<std::size_t>{0}), 2.5, 2.5, 2.5, 0);
}

// 4 of 5, se^2 = 5/4 * 0.8 / 25 = 0.04, so that n is 0.16 / 0.04 = 4, and t = 2.776445:
// (0.8 + t^2 / 8 -+ t sqrt(0.04 + t^2 / 64)) / (1 + t^2 / 4).
TEST(Summary, ShareHasWilsonsInterval) {
  const std::vector<double> values = {1, 1, 0, 1, 1};
  const std::vector<std::size_t> one(5, 0);
  const double t = 2.776445, root = t * std::sqrt(0.04 + t * t / 64);
  expect_near(share_of(values, one), 0.8, (0.8 + t * t / 8 - root) / (1 + t * t / 4),
              (0.8 + t * t / 8 + root) / (1 + t * t / 4), 1e-6);
}

TEST(Summary, ShareOfAllHasAWidth) {  // n / (n + t^2)
  const Estimate share = share_of(std::vector<double>(8, 1.0), {{0, 0, 1, 1, 2, 2, 3, 3}});
  expect_near(share, 1, 8 / (8 + 3.182446 * 3.182446), 1, 1e-6);
}

TEST(Summary, QuantilesAreValuesThatOccur) {
  const std::vector<double> ten = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(quantile(ten, 0.5), 5);
  EXPECT_EQ(quantile(ten, 0.9), 9);
  EXPECT_EQ(quantile(ten, 0.99), 10);
  EXPECT_EQ(quantile(ten, 0.01), 1);
  EXPECT_EQ(quantile(std::vector{3.0}, 0.5), 3);
}

PositionResult of_p(std::size_t window, double p, double reference_p, double divergence,
                    bool same_top) {
  return {window, true, -std::log(p), -std::log(reference_p), divergence, same_top};
}

// Two windows of two tokens, and a last position of each that no token follows.
const std::vector<PositionResult> kResults = {
    of_p(0, 0.50, 0.25, 0.1, true),  of_p(0, 0.25, 0.25, 0.2, true),  {0, false, 0, 0, 0.6, false},
    of_p(1, 0.125, 0.25, 0.3, true), of_p(1, 0.125, 0.5, 0.4, false), {1, false, 0, 0, 0.2, true},
};

TEST(Summary, OfPerplexityIsTheGeometricMeanOfTheInverses) {
  const PerplexitySummary summary = summarize_perplexity(kResults);
  EXPECT_EQ(summary.n_windows, 2U);
  EXPECT_EQ(summary.n_tokens, 4U);
  // 2 * 4 * 8 * 8 = 2^9: losses of ln 2 times 1, 2 | 3, 3; mean 9/4; e = -3/2, 3/2;
  // se^2 = 2 * (9/4 + 9/4) / 16 = 9/16.
  const double mean = 2.25 * std::log(2.0), half = 12.706205 * 0.75 * std::log(2.0);
  expect_near(summary.loss, mean, mean - half, mean + half, 1e-9);
  expect_near(summary.perplexity, std::exp(mean), std::exp(mean - half), std::exp(mean + half),
              1e-4);
}

TEST(Summary, OfAComparisonCountsTheLastPositionsForDivergenceAlone) {
  const ComparisonSummary summary = summarize_comparison(kResults);
  EXPECT_EQ(summary.n_windows, 2U);
  EXPECT_EQ(summary.n_positions, 6U);
  EXPECT_EQ(summary.n_tokens, 4U);
  // 0.9 + 0.9: the windows do not differ.
  expect_near(summary.divergence, 0.3, 0.3, 0.3, 1e-12);
  EXPECT_EQ(summary.divergence_median, 0.2);
  EXPECT_EQ(summary.divergence_90, 0.6);
  EXPECT_EQ(summary.divergence_99, 0.6);
  EXPECT_EQ(summary.divergence_max, 0.6);
  EXPECT_NEAR(summary.same_top.value, 4.0 / 6, 1e-12);
}

TEST(Summary, OfAComparisonHasThePerplexitiesAndTheirPairedRatio) {
  const ComparisonSummary summary = summarize_comparison(kResults);
  EXPECT_NEAR(summary.perplexity.value, std::exp2(2.25), 1e-9);
  EXPECT_NEAR(summary.reference_perplexity.value, std::exp2(1.75), 1e-9);
  // Differences of ln 2 times -1, 0 | 1, 2; mean 1/2; e = -2, 2; se^2 = 2 * 8 / 16 = 1.
  const double mean = 0.5 * std::log(2.0), half = 12.706205 * std::log(2.0);
  expect_near(summary.perplexity_ratio, std::exp(mean), std::exp(mean - half),
              std::exp(mean + half), 2e-3);
}

TEST(Summary, OfAComparisonHasTheChangeOfTheRightTokensProbability) {
  const ComparisonSummary summary = summarize_comparison(kResults);
  // Changes 0.25, 0 | -0.125, -0.375; mean -1/16; e = 3/8, -3/8; se^2 = 2 * 18/64 / 16.
  const double half = 12.706205 * std::sqrt(36.0 / 64 / 16);
  expect_near(summary.p_change, -0.0625, -0.0625 - half, -0.0625 + half, 1e-6);
  // Squares 4, 0 | 1, 9 in 1/64; mean 14/4; e = -3, 3; se = sqrt(2 * 18) / 4 = 1.5.
  const double root = std::sqrt(3.5 / 64), half_of_root = 12.706205 * 1.5 / 64 / (2 * root);
  expect_near(summary.p_change_rms, root, 0, root + half_of_root, 1e-6);
}

TEST(Summary, OfEqualModelsIsNoChange) {
  std::vector<PositionResult> results = kResults;
  for (PositionResult& result : results) {
    result.loss = result.reference_loss;
    result.divergence = 0;
    result.same_top = true;
  }
  const ComparisonSummary summary = summarize_comparison(results);
  expect_near(summary.perplexity_ratio, 1, 1, 1, 0);
  expect_near(summary.p_change_rms, 0, 0, 0, 0);
  EXPECT_EQ(summary.same_top.value, 1);
  EXPECT_LT(summary.same_top.low, 1);
}

}  // namespace
}  // namespace lq::behaviour
