#include "common/forward/head.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace lq::forward {
namespace {

using linalg::Compute;
using linalg::Matrix;

/// An output matrix of a vocabulary that is no multiple of anything.
class RandomOutput final : public WeightSource {
 public:
  static constexpr std::size_t kVocabulary = 5003, kHidden = 24;

  RandomOutput() : values_(kVocabulary * kHidden) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 1);
    for (float& value : values_) value = normal(random);
  }
  tensor::Shape shape(const WeightKey& key) const override {
    EXPECT_EQ(key, WeightKey{model::TensorRole::kOutput});
    return {kVocabulary, kHidden};
  }
  void read(const WeightKey&, std::size_t first, std::span<float> out) const override {
    std::copy_n(values_.data() + first, out.size(), out.data());
  }
  /// In float64.
  double logit(std::span<const float> x, std::size_t token) const {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += double{x[i]} * double{values_[token * kHidden + i]};
    }
    return sum;
  }
  double loss(std::span<const float> x, std::size_t next) const {
    double sum = 0;
    for (std::size_t token = 0; token < kVocabulary; ++token) sum += std::exp(logit(x, token));
    return std::log(sum) - logit(x, next);
  }

 private:
  std::vector<float> values_;
};

class HeadTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kRows = 300;

  HeadTest() : x_(kRows, RandomOutput::kHidden, Compute::kF32) {
    std::mt19937 random(2);
    std::normal_distribution<float> normal(0, 1);
    for (std::size_t row = 0; row < kRows; ++row) {
      std::vector<float>& values = rows_.emplace_back();
      for (std::size_t i = 0; i < RandomOutput::kHidden; ++i) values.push_back(normal(random));
      x_.set_row(row, values);
      ids_.push_back(static_cast<std::int32_t>(random() % RandomOutput::kVocabulary));
    }
    ids_[1] = 0;
    ids_[2] = RandomOutput::kVocabulary - 1;
  }

  RandomOutput output_;
  Matrix x_;
  std::vector<std::vector<float>> rows_;
  std::vector<std::int32_t> ids_;
};

TEST_F(HeadTest, GivesTheLogitsOfChosenRowsInTheirOrder) {
  const std::vector<std::size_t> chosen = {299, 0, 7};
  const std::vector<float> logits = logits_of(output_, x_, chosen, 2);
  ASSERT_EQ(logits.size(), chosen.size() * RandomOutput::kVocabulary);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (std::size_t token = 0; token < RandomOutput::kVocabulary; ++token) {
      ASSERT_NEAR(logits[i * RandomOutput::kVocabulary + token],
                  output_.logit(rows_[chosen[i]], token), 1e-4);
    }
  }
}

TEST_F(HeadTest, GivesALossForEachTokenThatHasANextOne) {
  const std::vector<std::int32_t> next = next_tokens(std::vector<std::size_t>{1, 200, 99}, ids_);
  EXPECT_EQ(next[0], -1);
  EXPECT_EQ(next[1], ids_[2]);
  EXPECT_EQ(next[199], ids_[200]);
  EXPECT_EQ(next[200], -1);
  EXPECT_EQ(next[299], -1);
  const std::vector<double> losses = token_losses(output_, x_, next, 2);
  ASSERT_EQ(losses.size(), kRows - 3);
  for (std::size_t row = 0, i = 0; row < kRows; ++row) {
    if (next[row] < 0) continue;
    ASSERT_NEAR(losses[i++], output_.loss(rows_[row], static_cast<std::size_t>(next[row])), 1e-5);
  }
}

TEST_F(HeadTest, GivesTheSameBitsForAnyNumberOfThreads) {
  const std::vector<std::int32_t> next = next_tokens(std::vector{kRows}, ids_);
  const std::vector<double> losses = token_losses(output_, x_, next, 1);
  const std::vector<std::size_t> chosen = {5, 6, 200};
  const std::vector<float> logits = logits_of(output_, x_, chosen, 1);
  for (const int n_threads : {2, 3}) {
    EXPECT_EQ(token_losses(output_, x_, next, n_threads), losses);
    EXPECT_EQ(logits_of(output_, x_, chosen, n_threads), logits);
  }
}

TEST(Head, LosesNothingInAWideRangeOfLogits) {
  // One token is certain, another out of the question: no sum overflows or is empty.
  const RandomOutput output;
  Matrix x(1, RandomOutput::kHidden, Compute::kF32);
  const std::vector<float> row(RandomOutput::kHidden, 1000.0F);
  x.set_row(0, row);
  std::size_t best = 0, worst = 0;
  for (std::size_t token = 0; token < RandomOutput::kVocabulary; ++token) {
    if (output.logit(row, token) > output.logit(row, best)) best = token;
    if (output.logit(row, token) < output.logit(row, worst)) worst = token;
  }
  const auto loss = [&](std::size_t next) {
    return token_losses(output, x, std::vector{static_cast<std::int32_t>(next)}, 1).front();
  };
  EXPECT_NEAR(loss(best), 0, 1e-6);
  const double gap = output.logit(row, best) - output.logit(row, worst);
  EXPECT_GT(gap, 20000);
  EXPECT_NEAR(loss(worst) / gap, 1, 1e-6);
}

}  // namespace
}  // namespace lq::forward
