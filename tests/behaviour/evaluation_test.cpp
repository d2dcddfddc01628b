// Losses and divergences against the goldens of the bundled model, and against plain float64 sums
// over the logits.

#include "common/behaviour/evaluation.h"

#include <cmath>
#include <gtest/gtest.h>

#include "common/behaviour/summary.h"
#include "tests/behaviour/changed_weights.h"
#include "tests/forward/head_input.h"

namespace lq::behaviour {
namespace {

using linalg::Compute;

const std::filesystem::path kData = LQ_TEST_DATA;

class EvaluationTest : public ::testing::Test {
 protected:
  EvaluationWindows eval_windows(std::size_t window, std::size_t max_windows = 0) const {
    return cut_text(text::open_tokenizer(kData / "tiny-llama"),
                    testing::read_file(kData / "tiny-llama-golden" / "eval.txt"),
                    find_protocol("lq"),
                    {.window = window, .max_windows = max_windows, .n_vocab = 2048});
  }
  ModelPredictions predictions(const forward::WeightSource& weights,
                               const EvaluationWindows& windows, Compute compute = Compute::kF32,
                               int n_threads = 2) const {
    return {{checkpoint_.config, weights}, windows, {.compute = compute, .n_threads = n_threads}};
  }
  PerplexitySummary perplexity(std::size_t window, Compute compute) const {
    const EvaluationWindows windows = eval_windows(window);
    ModelPredictions model = predictions(weights_, windows, compute);
    return summarize_perplexity(evaluate(model, windows));
  }

  const model::Checkpoint checkpoint_ = model::open_checkpoint(kData / "tiny-llama");
  const forward::CheckpointWeights weights_{checkpoint_};
};

TEST_F(EvaluationTest, GivesTheBundledModelItsPerplexity) {
  const PerplexitySummary summary = perplexity(256, Compute::kF32);
  EXPECT_NEAR(summary.perplexity.value, 24.582540, 1e-4);
  EXPECT_EQ(summary.n_tokens, 7542U);
  EXPECT_EQ(summary.n_windows, 30U);
  EXPECT_LT(summary.perplexity.low, 23.5);
  EXPECT_GT(summary.perplexity.high, 25.5);
  EXPECT_NEAR(perplexity(512, Compute::kF32).perplexity.value, 24.721047, 1e-4);
}

TEST_F(EvaluationTest, InBfloat16StaysNear) {
  EXPECT_NEAR(perplexity(256, Compute::kBf16).perplexity.value / 24.582540, 1, 3e-4);
}

/// ln p of each token, in float64.
std::vector<double> log_probabilities(std::span<const float> logits) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit});
  std::vector<double> result;
  for (const float logit : logits) result.push_back(double{logit} - std::log(sum));
  return result;
}

TEST_F(EvaluationTest, ComparesEveryPositionByTheDefinition) {
  EvaluationWindows windows =
      given_windows({{2046, 54, 71, 88, 259, 1922, 821, 2046, 71, 88}, {0, 7, 10}});
  windows.first_scored = {3, 1};
  const testing::ChangedWeights other(weights_);
  ModelPredictions p = predictions(weights_, windows), q = predictions(other, windows);
  const std::vector<PositionResult> results = compare(p, q, windows, 2);
  const auto logits_of = [&](const forward::WeightSource& weights) {
    const linalg::Matrix x = testing::head_input(checkpoint_.config, weights, windows.windows.ids,
                                                 {{7, 3}}, Compute::kReference);
    return forward::logits_of(weights, x, std::vector<std::size_t>{2, 3, 4, 5, 6, 7, 8, 9}, 1);
  };
  const std::vector<float> of_p = logits_of(weights_), of_q = logits_of(other);
  const std::vector<std::int32_t> next = {88, 259, 1922, 821, -1, 71, 88, -1};
  ASSERT_EQ(results.size(), next.size());
  double total = 0, n_same = 0;
  for (std::size_t row = 0; row < next.size(); ++row) {
    const auto log_p = log_probabilities(std::span(of_p).subspan(row * 2048, 2048));
    const auto log_q = log_probabilities(std::span(of_q).subspan(row * 2048, 2048));
    double divergence = 0;
    for (std::size_t i = 0; i < 2048; ++i) divergence += std::exp(log_p[i]) * (log_p[i] - log_q[i]);
    total += divergence;
    EXPECT_NEAR(results[row].divergence, divergence, 1e-5) << row;
    const bool same = std::ranges::max_element(log_p) - log_p.begin() ==
                      std::ranges::max_element(log_q) - log_q.begin();
    n_same += same ? 1 : 0;
    EXPECT_EQ(results[row].same_top, same) << row;
    EXPECT_EQ(results[row].has_next, next[row] >= 0) << row;
    EXPECT_EQ(results[row].window, row < 5 ? 0U : 1U) << row;
    if (next[row] < 0) continue;
    EXPECT_NEAR(results[row].reference_loss, -log_p[static_cast<std::size_t>(next[row])], 1e-5);
    EXPECT_NEAR(results[row].loss, -log_q[static_cast<std::size_t>(next[row])], 1e-5);
  }
  EXPECT_GT(total, 0.1);
  EXPECT_LT(n_same, 8);
}

TEST_F(EvaluationTest, FindsNoDivergenceOfAModelFromItself) {
  const EvaluationWindows windows = eval_windows(64, 3);
  ModelPredictions p = predictions(weights_, windows), q = predictions(weights_, windows);
  for (const PositionResult& result : compare(p, q, windows, 2)) {
    EXPECT_EQ(result.divergence, 0);
    EXPECT_EQ(result.loss, result.reference_loss);
    EXPECT_TRUE(result.same_top);
  }
}

TEST_F(EvaluationTest, DoesNotDependOnTheNumberOfThreads) {
  const EvaluationWindows windows = eval_windows(100, 6);
  const testing::ChangedWeights other(weights_);
  const auto run = [&](int n_threads) {
    ModelPredictions p = predictions(weights_, windows, Compute::kBf16, n_threads);
    ModelPredictions q = predictions(other, windows, Compute::kBf16, n_threads);
    return compare(p, q, windows, n_threads);
  };
  const std::vector<PositionResult> one = run(1), three = run(3);
  ASSERT_EQ(one.size(), three.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].divergence, three[i].divergence) << i;
    EXPECT_EQ(one[i].loss, three[i].loss) << i;
  }
}

TEST_F(EvaluationTest, TellsHowManyTokensHavePassedALayer) {
  const EvaluationWindows windows = eval_windows(100, 3);
  std::size_t passed = 0;
  const ModelPredictions model(
      {checkpoint_.config, weights_}, windows,
      {.compute = Compute::kF32, .passed = [&](std::size_t n) { passed += n; }});
  EXPECT_EQ(passed, 300U * 6);
}

TEST_F(EvaluationTest, StatesMemoryThatGrowsByTheStatesOfTokensAndPositions) {
  const auto bytes = [&](std::size_t n_windows) {
    return ModelPredictions::bytes(checkpoint_.config, eval_windows(512, n_windows),
                                   {.compute = Compute::kF32});
  };
  const std::uint64_t hidden = 256 * sizeof(float);
  EXPECT_EQ(bytes(14) - bytes(9), 5 * (512 + 511) * hidden);
  const std::uint64_t head_and_logits = (2048 * 256 + 511 * 2048) * sizeof(float);
  EXPECT_GT(bytes(1), head_and_logits);
  EXPECT_LT(bytes(1), 8 * head_and_logits);
}

TEST_F(EvaluationTest, RefusesAnotherVocabularyAndValuesThatAreNotFinite) {
  const EvaluationWindows windows = given_windows({{1, 2, 3}, {0, 3}});
  ModelPredictions p = predictions(weights_, windows);
  class Narrow final : public Predictions {
   public:
    std::size_t n_positions() const override { return 3; }
    std::size_t vocabulary() const override { return 100; }
    void read(std::size_t, PredictionBlock&) override {}
  } narrow;
  const auto error =
      testing::error_of<base::ValidationError>([&] { compare(p, narrow, windows, 1); });
  EXPECT_STREQ(error.what(), "cannot compare the models' predictions");
  EXPECT_EQ(error.why(), "one predicts among 100 tokens, the reference among 2048");
  EXPECT_EQ(error.fix(), "name the model that the other was made from as the reference");

  const testing::ChangedWeights huge(weights_, model::TensorRole::kFfnDown, 3e38F);
  const auto overflow =
      testing::error_of<base::ConversionError>([&] { predictions(huge, windows); });
  EXPECT_STREQ(overflow.what(), "cannot evaluate the model");
  EXPECT_EQ(overflow.why(), "layer 0 gives values that are not finite");
  const testing::ChangedWeights huge_head(weights_, model::TensorRole::kOutput, 3e38F);
  ModelPredictions q = predictions(huge_head, windows);
  PredictionBlock block;
  const auto in_head = testing::error_of<base::ConversionError>([&] { q.read(0, block); });
  EXPECT_EQ(in_head.why(), "it gives logits that are not finite");
  EXPECT_EQ(in_head.fix(),
            "try --compute f32; if that fails too, the model is damaged: make or fetch it again");
}

TEST(PredictionBlocks, HaveAsManyPositionsAsTheVocabularyAllows) {
  EXPECT_EQ(positions_per_block(100), 2048U);
  EXPECT_EQ(positions_per_block(151'936), 384U);
  EXPECT_EQ(positions_per_block(10'000'000), 128U);
}

}  // namespace
}  // namespace lq::behaviour
