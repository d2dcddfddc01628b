// The judge of quantized models: what it says of the bundled model, and of one that was changed.

#include "bench/judge/judge.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "common/calibration/token_file.h"
#include "common/subject/subject.h"
#include "tests/forward/head_input.h"

namespace lq::bench {
namespace {

const std::filesystem::path kData = LQ_TEST_DATA;

/// Its logits are twice those of the original.
class TwiceAsSure final : public forward::WeightSource {
 public:
  explicit TwiceAsSure(const forward::WeightSource& original) : original_(original) {}
  tensor::Shape shape(const forward::WeightKey& key) const override { return original_.shape(key); }
  void read(const forward::WeightKey& key, std::size_t first, std::span<float> out) const override {
    original_.read(key, first, out);
    if (key.role != model::TensorRole::kOutput) return;
    for (float& value : out) value *= 2;
  }

 private:
  const forward::WeightSource& original_;
};

class JudgeTest : public ::testing::Test {
 protected:
  Subject subject() const { return {model_->config(), model_->weights()}; }

  const std::unique_ptr<const subject::Subject> model_ =
      subject::open_subject(kData / "tiny-llama");
  const calibration::TokenWindows eval_ =
      calibration::read_tokens(kData / "awq-gptq" / "eval.json", 2048);
};

TEST_F(JudgeTest, GivesTheBundledModelItsPerplexityAndNoDivergenceFromItself) {
  const Judgement result = Judge(subject(), eval_, linalg::Compute::kF32, 2)(subject());
  EXPECT_NEAR(result.reference_perplexity, 24.5825, 5e-5);
  EXPECT_EQ(result.perplexity, result.reference_perplexity);
  EXPECT_EQ(result.kld_mean, 0);
  EXPECT_EQ(result.top1, 1);
  EXPECT_EQ(result.tokens, 7542U);
}

TEST_F(JudgeTest, CountsEveryPositionByTheDefinition) {
  const calibration::TokenWindows windows = {{2046, 54, 71, 88, 259, 2046, 71, 88}, {0, 5, 8}};
  const TwiceAsSure sure(model_->weights());
  const Judgement result = Judge(subject(), windows)({model_->config(), sure});
  const std::vector<float> logits = testing::all_logits(
      model_->config(), model_->weights(), windows.ids, {{5, 3}}, linalg::Compute::kF32);
  const std::vector<std::int32_t> next = {54, 71, 88, 259, -1, 71, 88, -1};
  const std::size_t vocabulary = logits.size() / next.size();
  double divergence = 0, loss = 0, reference_loss = 0;
  for (std::size_t row = 0; row < next.size(); ++row) {
    double sum_p = 0, sum_q = 0;
    const auto logit = [&](std::size_t i) { return double{logits[row * vocabulary + i]}; };
    for (std::size_t i = 0; i < vocabulary; ++i) {
      sum_p += std::exp(logit(i));
      sum_q += std::exp(2 * logit(i));
    }
    for (std::size_t i = 0; i < vocabulary; ++i) {
      const double p = std::exp(logit(i)) / sum_p, q = std::exp(2 * logit(i)) / sum_q;
      divergence += p * std::log(p / q);
    }
    if (next[row] < 0) continue;
    const auto id = static_cast<std::size_t>(next[row]);
    reference_loss -= std::log(std::exp(logit(id)) / sum_p);
    loss -= std::log(std::exp(2 * logit(id)) / sum_q);
  }
  EXPECT_GT(divergence, 0.1);
  EXPECT_NEAR(result.kld_mean, divergence / 8, 1e-6);
  EXPECT_NEAR(result.reference_perplexity, std::exp(reference_loss / 6), 1e-3);
  EXPECT_NEAR(result.perplexity, std::exp(loss / 6), 1e-3);
  EXPECT_EQ(result.top1, 1);
  EXPECT_EQ(result.tokens, 6U);
}

TEST_F(JudgeTest, SharesTopTokensOnlyWhereBothFindTheSame) {
  /// Another last norm: other tokens come first at some positions.
  class OtherNorm final : public forward::WeightSource {
   public:
    explicit OtherNorm(const forward::WeightSource& original) : original_(original) {}
    tensor::Shape shape(const forward::WeightKey& key) const override {
      return original_.shape(key);
    }
    void read(const forward::WeightKey& key, std::size_t first,
              std::span<float> out) const override {
      original_.read(key, first, out);
      if (key.role != model::TensorRole::kOutputNorm) return;
      for (std::size_t i = 0; i < out.size(); i += 2) out[i] = 0;
    }

   private:
    const forward::WeightSource& original_;
  };
  const calibration::TokenWindows windows = {{2046, 54, 71, 88, 259, 1922, 821, 82}, {0, 8}};
  const OtherNorm other(model_->weights());
  const Judgement result = Judge(subject(), windows)({model_->config(), other});
  const auto tops = [&](const forward::WeightSource& weights) {
    const linalg::Matrix x =
        testing::head_input(model_->config(), weights, windows.ids, {{8}}, linalg::Compute::kF32);
    std::vector<std::ptrdiff_t> top;
    for (std::size_t row = 0; row < 8; ++row) {
      const std::vector<float> logits = forward::logits_of(weights, x, std::vector{row}, 1);
      top.push_back(std::ranges::max_element(logits) - logits.begin());
    }
    return top;
  };
  const auto of_original = tops(model_->weights()), of_other = tops(other);
  int same = 0;
  for (std::size_t row = 0; row < 8; ++row) same += of_original[row] == of_other[row] ? 1 : 0;
  ASSERT_LT(same, 8);
  EXPECT_EQ(result.top1, same / 8.0);
}

}  // namespace
}  // namespace lq::bench
