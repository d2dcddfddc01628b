#include "common/verify/behaviour_run.h"

#include <filesystem>
#include <gtest/gtest.h>

#include "common/base/errors.h"
#include "tests/support/scratch.h"

namespace lq::verify {
namespace {

const std::filesystem::path kData = LQ_TEST_DATA;

class BehaviourRunTest : public ::testing::Test {
 protected:
  BehaviourRequest request() const {
    BehaviourRequest request;
    request.text = testing::read_file(kData / "tiny-llama-golden" / "eval.txt");
    request.cut = {.window = 256, .max_windows = 2};
    request.compute = linalg::Compute::kF32;
    request.n_threads = 2;
    request.continued_tokens = 4;
    return request;
  }

  const std::unique_ptr<const subject::Subject> model_ =
      subject::open_subject(kData / "tiny-llama");
  const testing::ScratchDirectory scratch_;
};

TEST_F(BehaviourRunTest, OfAModelAloneIsItsPerplexity) {
  const BehaviourRequest asked = request();
  const Reference none;
  const Behaviour found = BehaviourRun(asked, none, *model_).judge(*model_);
  ASSERT_TRUE(found.alone);
  EXPECT_FALSE(found.compared);
  EXPECT_EQ(found.protocol, "lq");
  EXPECT_EQ(found.n_windows, 2U);
  EXPECT_EQ(found.alone->n_tokens, 510U);
  EXPECT_TRUE(found.continuations.empty());
}

TEST_F(BehaviourRunTest, OfTheReferenceItselfIsNoLoss) {
  const BehaviourRequest asked = request();
  const Reference reference{model_.get(), "tiny-llama", "an id"};
  const Behaviour found = BehaviourRun(asked, reference, *model_).judge(*model_);
  ASSERT_TRUE(found.compared);
  EXPECT_EQ(found.compared->divergence.value, 0);
  EXPECT_EQ(found.compared->same_top.value, 1);
  EXPECT_EQ(found.divergences.size(), found.compared->n_positions);
  ASSERT_FALSE(found.continuations.empty());
  for (const behaviour::ContinuationPair& pair : found.continuations) {
    EXPECT_EQ(pair.n_common, 4U);
  }
}

TEST_F(BehaviourRunTest, TakesWindowsOfIdsAndNoPromptsThen) {
  BehaviourRequest asked = request();
  asked.tokens = scratch_.write("windows.json", "[[1, 15, 7, 9], [1, 9, 30]]");
  const Reference reference{model_.get(), "tiny-llama", "an id"};
  const Behaviour found = BehaviourRun(asked, reference, *model_).judge(*model_);
  EXPECT_EQ(found.protocol, "given");
  EXPECT_EQ(found.n_windows, 2U);
  EXPECT_TRUE(found.continuations.empty());
}

TEST_F(BehaviourRunTest, MakesTheReferencesFileOnceAndUsesItWithoutTheModel) {
  BehaviourRequest asked = request();
  asked.reference_file = scratch_.path() / "reference.lqp";
  const Reference reference{model_.get(), "tiny-llama", "an id"};
  BehaviourRun(asked, reference, *model_);
  ASSERT_TRUE(std::filesystem::exists(asked.reference_file));
  const Reference absent;
  const Behaviour found = BehaviourRun(asked, absent, *model_).judge(*model_);
  ASSERT_TRUE(found.compared);
  EXPECT_LT(found.compared->divergence.value, 1e-4);
  EXPECT_TRUE(found.continuations.empty());
}

TEST_F(BehaviourRunTest, RefusesTheFileOfAnotherReference) {
  BehaviourRequest asked = request();
  asked.reference_file = scratch_.path() / "reference.lqp";
  const Reference reference{model_.get(), "tiny-llama", "an id"};
  BehaviourRun(asked, reference, *model_);
  const Reference other{model_.get(), "other", "another id"};
  EXPECT_THROW(BehaviourRun(asked, other, *model_), base::ValidationError);
  asked.cut.max_windows = 1;
  EXPECT_THROW(BehaviourRun(asked, reference, *model_), base::ValidationError);
}

TEST_F(BehaviourRunTest, SaysWhatGoesOn) {
  BehaviourRequest asked = request();
  std::vector<std::string> phases;
  asked.phase = [&](const std::string& phase) { phases.push_back(phase); };
  const Reference reference{model_.get(), "tiny-llama", "an id"};
  BehaviourRun(asked, reference, *model_).judge(*model_);
  EXPECT_EQ(phases, (std::vector<std::string>{"running the reference", "running the model",
                                              "letting both go on from prompts"}));
}

}  // namespace
}  // namespace lq::verify
