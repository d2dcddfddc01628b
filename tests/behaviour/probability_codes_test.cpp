#include "common/behaviour/probability_codes.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

#include "common/behaviour/prediction_rows.h"

namespace lq::behaviour {
namespace {

/// Logits with a bell of random-like values, and some that stand out.
std::vector<float> logits_of(std::size_t n, float width, float top) {
  std::vector<float> logits(n);
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::size_t k = 1; k <= 6; ++k)
      sum += std::sin(double(i * (2 * k + 1)) * 1.37 + double(k));
    logits[i] = width * static_cast<float>(sum);
  }
  logits[n / 3] = top;
  logits[n / 2] = top - 1;
  return logits;
}

TEST(ProbabilityCodes, AreSquareRootsAndTheMeanOfTheRest) {
  const std::vector<float> logits = {std::log(0.5F), std::log(0.25F), std::log(0.25F), -30, -32};
  std::vector<std::uint16_t> codes(5);
  const float rest = encode_probabilities(logits, log_sum_exp(logits), codes);
  EXPECT_EQ(codes, (std::vector<std::uint16_t>{23170, 16384, 16384, 0, 0}));
  EXPECT_NEAR(rest / ((std::exp(-30.0) + std::exp(-32.0)) / 2), 1, 1e-5);
  std::vector<float> log_p(5);
  decode_probabilities(codes, rest, log_p);
  EXPECT_NEAR(log_p[0], std::log(0.5), 4.5e-5);  // half a step
  EXPECT_FLOAT_EQ(log_p[1], std::log(0.25F));
  EXPECT_FLOAT_EQ(log_p[3], std::log(rest));
}

TEST(ProbabilityCodes, HaveNoRestWhereNothingIsOfCodeZero) {
  const std::vector<float> logits = {0, 0};
  std::vector<std::uint16_t> codes(2);
  EXPECT_EQ(encode_probabilities(logits, log_sum_exp(logits), codes), 0);
  const std::vector<std::uint16_t> one = {kMostCode, 0};
  std::vector<float> log_p(2);
  decode_probabilities(one, 0, log_p);
  EXPECT_EQ(log_p[0], 0);
  EXPECT_TRUE(std::isfinite(log_p[1]));
}

TEST(ProbabilityCodes, CostADivergenceLessThanTheirRoundingAllows) {
  constexpr std::size_t kVocabulary = 49152;
  const double bound = kVocabulary / (6.0 * kMostCode * kMostCode);
  for (const float top : {2.0F, 10.0F, 20.0F}) {
    for (const float width : {0.3F, 1.0F, 2.0F}) {
      const std::vector<float> p = logits_of(kVocabulary, width, top);
      std::vector<std::uint16_t> codes(kVocabulary);
      const float rest = encode_probabilities(p, log_sum_exp(p), codes);
      std::vector<float> log_p(kVocabulary);
      decode_probabilities(codes, rest, log_p);
      const PredictionRow saved{log_p, log_sum_exp(log_p)}, exact{p, log_sum_exp(p)};
      EXPECT_NEAR(saved.log_sum, 0, 1e-4);
      EXPECT_LT(divergence(exact, saved), 1.2 * bound) << top << " " << width;
      std::vector<float> q = p;
      for (std::size_t i = 0; i < q.size(); ++i) q[i] += 0.3F * std::sin(float(i) * 0.7F);
      const PredictionRow other{q, log_sum_exp(q)};
      const double wanted = divergence(exact, other);
      EXPECT_NEAR(divergence(saved, other), wanted, 3 * bound + 1e-3 * wanted)
          << top << " " << width;
    }
  }
}

}  // namespace
}  // namespace lq::behaviour
