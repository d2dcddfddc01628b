#include "common/verify/gates.h"

#include <gtest/gtest.h>
#include <limits>

#include "common/base/errors.h"

namespace lq::verify {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

behaviour::ComparisonSummary measured(double divergence, double ratio, double same_top) {
  behaviour::ComparisonSummary summary;
  summary.divergence.value = divergence;
  summary.perplexity_ratio.value = ratio;
  summary.same_top.value = same_top;
  summary.reference_perplexity.value = 10;
  summary.perplexity.value = 10 * ratio;
  return summary;
}

TEST(Gates, ReadSharesInPercentOrAsTheyAre) {
  EXPECT_DOUBLE_EQ(parse_share("min-top1", "90%", 1), 0.9);
  EXPECT_DOUBLE_EQ(parse_share("min-top1", "0.9", 1), 0.9);
  EXPECT_DOUBLE_EQ(parse_share("max-perplexity-increase", "250%", kNoLimit), 2.5);
}

TEST(Gates, RefuseWhatIsNoShare) {
  for (const char* text : {"", "x", "5%%", "5 %", "-1%", "nan", "101%"}) {
    EXPECT_THROW(parse_share("min-top1", text, 1), base::UsageError) << text;
  }
  try {
    parse_share("min-top1", "2", 1);
    FAIL();
  } catch (const base::UsageError& error) {
    EXPECT_STREQ(error.what(), "cannot use --min-top1 2");
    EXPECT_EQ(error.why(), "it is no share from 0 to 1");
    EXPECT_EQ(error.fix(), "write it as 5% or 0.05");
  }
}

TEST(Gates, NameEachLimitThatIsMissedWithBothNumbers) {
  const Gates gates{.max_perplexity_increase = 0.05, .max_divergence = 0.02, .min_same_top = 0.9};
  const base::Findings all = missed(gates, measured(0.03, 1.07, 0.85));
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].check, "max-perplexity-increase");
  EXPECT_EQ(all[0].why, "by 7.00 % from 10.0000 to 10.7000, the limit is 5 %");
  EXPECT_EQ(all[1].check, "max-kld");
  EXPECT_EQ(all[1].why, "the mean KL divergence is 0.03000, the limit is 0.02");
  EXPECT_EQ(all[2].check, "min-top1");
  EXPECT_EQ(all[2].why, "it is the same at 85.00 % of the positions, the limit is 90 %");
  for (const base::Finding& finding : all) EXPECT_EQ(finding.weight, base::Weight::kFault);
}

TEST(Gates, AreKeptAtTheirLimits) {
  const Gates gates{.max_perplexity_increase = 0.5, .max_divergence = 0.02, .min_same_top = 0.9};
  EXPECT_TRUE(missed(gates, measured(0.02, 1.5, 0.9)).empty());
  EXPECT_TRUE(missed(Gates(), measured(9, 9, 0)).empty());
}

TEST(Gates, AreMissedByWhatIsNoNumber) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const Gates gates{.max_perplexity_increase = 0.5, .max_divergence = 0.02, .min_same_top = 0.9};
  EXPECT_EQ(missed(gates, measured(kNan, kNan, kNan)).size(), 3U);
  EXPECT_EQ(missed(Gates{.max_tensor_error = 0.1}, "t", kNan).size(), 1U);
}

TEST(Gates, OfTensorsNameTheTensor) {
  const Gates gates{.max_tensor_error = 0.01};
  EXPECT_TRUE(missed(gates, "blk.0.ffn_up.weight", 0.01).empty());
  const base::Findings found = missed(gates, "blk.0.ffn_up.weight", 0.02);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].tensor, "blk.0.ffn_up.weight");
  EXPECT_EQ(found[0].why, "0.02000 of the output's energy, the limit is 0.01");
}

TEST(Grades, AreTheBestOfWhichBothLimitsAreKept) {
  EXPECT_EQ(grade_of(measured(0.005, 1.001, 1)).name, "excellent");
  EXPECT_EQ(grade_of(measured(0.005, 1.02, 1)).name, "good");
  EXPECT_EQ(grade_of(measured(0.1, 1.02, 1)).name, "acceptable");
  EXPECT_EQ(grade_of(measured(0.4, 1.3, 1)).name, "degraded");
  EXPECT_EQ(grade_of(measured(0.4, 3, 1)).name, "failed");
  EXPECT_EQ(grade_of(measured(std::numeric_limits<double>::quiet_NaN(), 1, 1)).name, "failed");
}

TEST(Grades, TheLastIsAFault) {
  const auto good = measured(0.02, 1.02, 1), bad = measured(4, 90, 0.1);
  EXPECT_TRUE(missed(grade_of(good), good).empty());
  const base::Findings found = missed(grade_of(bad), bad);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].check, "grade");
  EXPECT_EQ(found[0].why,
            "mean KL divergence 4.000, perplexity 900 after 10; up to 1.5 and 100 % more count as "
            "degraded");
}

}  // namespace
}  // namespace lq::verify
