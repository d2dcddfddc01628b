#include "common/behaviour/continuation.h"

#include <gtest/gtest.h>

#include "common/behaviour/evaluation.h"
#include "tests/behaviour/changed_weights.h"
#include "tests/support/scratch.h"

namespace lq::behaviour {
namespace {

const std::filesystem::path kData = LQ_TEST_DATA;

class ContinuationTest : public ::testing::Test {
 protected:
  std::vector<TokenList> continuations(std::span<const TokenList> prompts,
                                       ContinuationOptions options) const {
    options.compute = linalg::Compute::kF32;
    return continue_greedily({checkpoint_.config, weights_}, prompts, options);
  }

  /// Each token from the whole window before it.
  TokenList continuation_by_definition(TokenList tokens, std::size_t n_tokens) const {
    const std::size_t n_prompt = tokens.size();
    for (std::size_t i = 0; i < n_tokens; ++i) {
      const EvaluationWindows windows =
          given_windows({tokens, {0, static_cast<std::int64_t>(tokens.size())}});
      ModelPredictions model({checkpoint_.config, weights_}, windows,
                             {.compute = linalg::Compute::kF32});
      PredictionBlock block;
      model.read(0, block);
      tokens.push_back(block.top.back());
    }
    return {tokens.begin() + static_cast<std::ptrdiff_t>(n_prompt), tokens.end()};
  }

  const model::Checkpoint checkpoint_ = model::open_checkpoint(kData / "tiny-llama");
  const forward::CheckpointWeights weights_{checkpoint_};
  const std::vector<TokenList> prompts_ = {
      {2046, 54, 71, 88, 259}, {2046, 1922, 821, 82, 300, 400, 500, 600, 700}, {2046, 71}};
};

TEST_F(ContinuationTest, IsTheLikeliestTokenBehindAllBefore) {
  const auto results = continuations(prompts_, {.n_tokens = 12, .n_threads = 2});
  ASSERT_EQ(results.size(), 3U);
  for (std::size_t i = 0; i < prompts_.size(); ++i) {
    EXPECT_EQ(results[i], continuation_by_definition(prompts_[i], 12)) << i;
  }
}

TEST_F(ContinuationTest, IsTheSameForAnyThreadsAndWhateverIsKeptOfTheWeights) {
  const auto wanted = continuations(prompts_, {.n_tokens = 20});
  const std::uint64_t of_one = layer_bytes(checkpoint_.config, linalg::Compute::kF32);
  for (const std::uint64_t kept : {of_one / 2, 2 * of_one, 100 * of_one}) {
    EXPECT_EQ(continuations(prompts_, {.n_tokens = 20, .n_threads = 3, .weights_memory = kept}),
              wanted);
  }
}

TEST_F(ContinuationTest, EndsBehindAnEnd) {
  const auto all = continuations(prompts_, {.n_tokens = 12});
  const std::int32_t end = all[0][4];
  const auto results = continuations(prompts_, {.n_tokens = 12, .ends = {end}});
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto found = std::ranges::find(all[i], end);
    const TokenList wanted(all[i].begin(), found == all[i].end() ? found : found + 1);
    EXPECT_EQ(results[i], wanted) << i;
  }
  EXPECT_LE(results[0].size(), 5U);
}

TEST_F(ContinuationTest, OfNothingIsNothing) {
  EXPECT_TRUE(continuations({}, {}).empty());
  EXPECT_EQ(continuations(prompts_, {.n_tokens = 0}), std::vector<TokenList>(3));
}

TEST_F(ContinuationTest, OfTwoModelsStandSideBySide) {
  const testing::ChangedWeights other(weights_);
  const ContinuationOptions options{.n_tokens = 24, .compute = linalg::Compute::kF32};
  const Model a{checkpoint_.config, weights_}, b{checkpoint_.config, other};
  const auto pairs = continue_both(a, b, prompts_, options);
  const auto of_a = continue_greedily(a, prompts_, options),
             of_b = continue_greedily(b, prompts_, options);
  ASSERT_EQ(pairs.size(), 3U);
  std::size_t n_parted = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(pairs[i].reference, of_a[i]);
    EXPECT_EQ(pairs[i].other, of_b[i]);
    EXPECT_EQ(pairs[i].n_common, n_common(of_a[i], of_b[i]));
    EXPECT_EQ(pairs[i].of_reference.repeated_share, repetition_of(of_a[i]).repeated_share);
    EXPECT_EQ(pairs[i].of_other.longest_loop, repetition_of(of_b[i]).longest_loop);
    n_parted += pairs[i].n_common < 24 ? 1 : 0;
  }
  EXPECT_GT(n_parted, 0U);
}

TEST_F(ContinuationTest, TellsHowManyTokensHavePassedALayer) {
  std::size_t passed = 0;
  continuations(prompts_, {.n_tokens = 3, .passed = [&](std::size_t n) { passed += n; }});
  EXPECT_EQ(passed, (16U + 2 * 3) * 6);
}

TEST_F(ContinuationTest, RefusesValuesThatAreNotFinite) {
  const testing::ChangedWeights huge(weights_, model::TensorRole::kFfnDown, 3e38F);
  const auto error = testing::error_of<base::ConversionError>([&] {
    continue_greedily({checkpoint_.config, huge}, prompts_, {.compute = linalg::Compute::kF32});
  });
  EXPECT_EQ(error.why(), "layer 0 gives values that are not finite");
}

TEST(Continuations, PartAtTheFirstOtherToken) {
  EXPECT_EQ(n_common(TokenList{1, 2, 3}, TokenList{1, 2, 4}), 2U);
  EXPECT_EQ(n_common(TokenList{1, 2}, TokenList{1, 2, 4}), 2U);
  EXPECT_EQ(n_common(TokenList{5}, TokenList{1}), 0U);
  EXPECT_EQ(n_common(TokenList{}, TokenList{1}), 0U);
}

TEST(Repetition, CountsGroupsOfFourThatWereThereBefore) {
  EXPECT_EQ(repetition_of(TokenList{1, 2, 3}).repeated_share, 0);
  EXPECT_EQ(repetition_of(TokenList{1, 2, 3, 4, 5, 6}).repeated_share, 0);
  // 1234 2345 3451 4512 5123 1234: the last one.
  EXPECT_DOUBLE_EQ(repetition_of(TokenList{1, 2, 3, 4, 5, 1, 2, 3, 4}).repeated_share, 1.0 / 6);
  EXPECT_DOUBLE_EQ(repetition_of(TokenList(13, 7)).repeated_share, 0.9);
}

TEST(Repetition, FindsTheLongestLoop) {
  EXPECT_EQ(repetition_of(TokenList{}).longest_loop, 0U);
  EXPECT_EQ(repetition_of(TokenList{1, 2, 3, 4, 1, 2, 3}).longest_loop, 0U);
  EXPECT_EQ(repetition_of(TokenList{9, 1, 1, 2}).longest_loop, 2U);
  EXPECT_EQ(repetition_of(TokenList{9, 1, 2, 3, 1, 2, 3, 1, 8}).longest_loop, 7U);
  EXPECT_EQ(repetition_of(TokenList(13, 7)).longest_loop, 13U);
}

}  // namespace
}  // namespace lq::behaviour
