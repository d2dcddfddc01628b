#include "common/behaviour/reference.h"

#include <cmath>
#include <gtest/gtest.h>

#include "common/behaviour/evaluation.h"
#include "common/behaviour/probability_codes.h"
#include "common/behaviour/summary.h"
#include "common/io/xxh3.h"
#include "tests/behaviour/changed_weights.h"
#include "tests/support/scratch.h"

namespace lq::behaviour {
namespace {

using lq::testing::error_of;
using lq::testing::read_file;

const std::filesystem::path kData = LQ_TEST_DATA;
constexpr std::size_t kTrailerBytes = 40;

class ReferenceTest : public ::testing::Test {
 protected:
  ModelPredictions predictions(const forward::WeightSource& weights) const {
    return {{checkpoint_.config, weights}, windows_, options_};
  }
  ReferenceFacts facts(const Predictions& model) const {
    return facts_of("tiny", "0123abcd", model, windows_, options_.compute);
  }
  std::string save(const std::string& name, int n_threads = 2) {
    const std::string path = scratch_.path() / name;
    save_reference(path, facts(reference_), reference_, n_threads);
    return path;
  }
  base::ValidationError refusal(const std::string& path, const ReferenceFacts& expected) const {
    return error_of<base::ValidationError>([&] { SavedReference(path, expected, 1); });
  }
  base::ValidationError refusal_of_bytes(const std::string& bytes) const {
    return refusal(scratch_.write("changed", bytes), facts(reference_));
  }

  const testing::ScratchDirectory scratch_;
  const model::Checkpoint checkpoint_ = model::open_checkpoint(kData / "tiny-llama");
  const forward::CheckpointWeights weights_{checkpoint_};
  const EvaluationOptions options_ = {.compute = linalg::Compute::kF32, .n_threads = 2};
  const EvaluationWindows windows_ =
      cut_text(text::open_tokenizer(kData / "tiny-llama"),
               read_file(kData / "tiny-llama-golden" / "eval.txt"), find_protocol("lq"),
               {.window = 100, .max_windows = 6, .n_vocab = 2048});
  ModelPredictions reference_ = predictions(weights_);
};

TEST_F(ReferenceTest, GivesTheNumbersOfTheModelItself) {
  const testing::ChangedWeights other(weights_);
  ModelPredictions model = predictions(other);
  const std::string path = save("reference");
  SavedReference saved(path, facts(model), 2);
  EXPECT_EQ(saved.facts().model_name, "tiny");
  const auto exact = compare(reference_, model, windows_, 2);
  for (int pass = 0; pass < 2; ++pass) {  // a file serves any number of models
    const auto from_file = compare(saved, model, windows_, 2);
    ASSERT_EQ(from_file.size(), 594U);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      EXPECT_NEAR(from_file[i].divergence, exact[i].divergence,
                  std::max(1e-4, 0.01 * exact[i].divergence))
          << i;
      EXPECT_EQ(from_file[i].loss, exact[i].loss);
      EXPECT_EQ(from_file[i].reference_loss, double{static_cast<float>(exact[i].reference_loss)});
      EXPECT_EQ(from_file[i].same_top, exact[i].same_top);
    }
    const ComparisonSummary a = summarize_comparison(exact), b = summarize_comparison(from_file);
    EXPECT_GT(a.divergence.value, 0.01);
    EXPECT_NEAR(b.divergence.value, a.divergence.value, 2e-6);
  }
}

TEST_F(ReferenceTest, OfTheSameModelIsNearlyNoDivergence) {
  SavedReference saved(save("reference"), facts(reference_), 1);
  const auto results = compare(saved, reference_, windows_, 2);
  // 4e-7 of it are the codes', the rest is float32's.
  EXPECT_LT(summarize_comparison(results).divergence.value, 2e-6);
}

TEST_F(ReferenceTest, HasTheSameBytesForAnyNumberOfThreads) {
  EXPECT_TRUE(read_file(save("one", 1)) == read_file(save("three", 3)));
}

TEST_F(ReferenceTest, FindsEveryDamage) {
  const std::string whole = read_file(save("reference"));
  ASSERT_GT(whole.size(), 10'000U);
  std::vector<std::size_t> places = {4, 5, 40, whole.size() - kTrailerBytes, whole.size() - 1};
  for (std::size_t at = 100; at < whole.size(); at += whole.size() / 40) places.push_back(at);
  for (const std::size_t at : places) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    const auto error = refusal_of_bytes(bytes);
    EXPECT_EQ(error.fix(), "the file is damaged: make it again with --save-reference") << at;
    EXPECT_NE(std::string(error.what()).find("cannot use the reference predictions in "),
              std::string::npos);
  }
  EXPECT_EQ(refusal_of_bytes(whole.substr(0, whole.size() / 2)).why(),
            "it has no checksum at its end");
  EXPECT_EQ(refusal_of_bytes(whole.substr(0, 20)).why(), "it has no checksum at its end");
  EXPECT_EQ(refusal_of_bytes(whole + "x").why(), "it has no checksum at its end");
  std::string bytes = whole;
  bytes[500] = static_cast<char>(bytes[500] ^ 1);
  EXPECT_EQ(refusal_of_bytes(bytes).why(), "its content does not have the checksum at its end");
}

/// Frames with the checksum that they would have.
std::string with_trailer(const std::vector<std::vector<std::byte>>& frames) {
  io::Xxh3 hash;
  std::string bytes;
  const auto append = [&](std::span<const std::byte> part) {
    for (const std::byte byte : part) bytes += std::to_integer<char>(byte);
  };
  for (const auto& frame : frames) {
    hash.update(frame);
    append(frame);
  }
  append(encode_trailer(hash.hex()));
  return bytes;
}

std::vector<std::byte> frame_of(const std::string& text) {
  return io::zstd_frame(std::as_bytes(std::span(text)), 1);
}

TEST_F(ReferenceTest, RefusesOtherFiles) {
  EXPECT_EQ(refusal_of_bytes("").why(), "it is no file of reference predictions");
  EXPECT_EQ(refusal_of_bytes("{\"schema\": 1}").why(), "it is no file of reference predictions");
  EXPECT_EQ(refusal_of_bytes("{\"schema\": 1}").fix(), "name one that --save-reference made");
  EXPECT_EQ(refusal_of_bytes(with_trailer({frame_of("a log of something")})).why(),
            "it is no file of reference predictions");
  const auto header = [](const std::string& json) {
    const auto size = static_cast<std::uint32_t>(json.size());
    return frame_of("lqrefpre" + std::string(reinterpret_cast<const char*>(&size), 4) + json);
  };
  EXPECT_EQ(refusal_of_bytes(with_trailer({header("{\"schema\": \"lq-reference/9\"}")})).why(),
            "it is of another format than lq-reference/1");
  EXPECT_EQ(refusal_of_bytes(with_trailer({header("{\"schema\": \"lq-reference/1\"}")})).why(),
            "its header is not what a reference has");
  EXPECT_EQ(refusal_of_bytes(with_trailer({header("[")})).why(),
            "its header is not what a reference has");
  EXPECT_EQ(refusal_of_bytes(with_trailer({frame_of("lqrefpre\xFF\xFF\xFF\xFF")})).why(),
            "its header is too long");
}

TEST_F(ReferenceTest, RefusesValuesThatNoPredictionHasAndMissingStrips) {
  const ReferenceFacts of = facts(reference_);
  PredictionBlock block;
  const auto why_not = [&](const std::vector<std::vector<std::byte>>& frames) {
    SavedReference saved(scratch_.write("forged", with_trailer(frames)), of, 1);
    return error_of<base::ValidationError>([&] { saved.read(0, block); }).why();
  };
  const std::string zeros(32 * (12 + 2 * 2048), '\0');
  EXPECT_NE(why_not({encode_header(of)}).find("the file ends early"), std::string::npos);
  EXPECT_NE(why_not({encode_header(of), frame_of(zeros)}).find("the file ends early"),
            std::string::npos);
  const auto damage = [&](std::size_t at) {
    std::string strip = zeros;
    strip[at] = '\xFF';
    strip[at + 1] = '\xFF';
    return why_not({encode_header(of), frame_of(strip)});
  };
  EXPECT_EQ(damage(2), "it has values that no prediction has");                 // a loss of NaN
  EXPECT_EQ(damage(32 * 8 + 2), "it has values that no prediction has");        // a rest of NaN
  EXPECT_EQ(damage(zeros.size() - 2), "it has values that no prediction has");  // a code of 65280
}

TEST_F(ReferenceTest, RefusesWhatIsOfAnotherRun) {
  const std::string path = save("reference");
  const ReferenceFacts own = facts(reference_);
  ReferenceFacts expected = own;
  expected.model_id = "ffff";
  EXPECT_EQ(refusal(path, expected).why(),
            "they are of another model, tiny, or of another state of it");
  EXPECT_EQ(refusal(path, expected).fix(),
            "name the reference of this run, or make it: --save-reference");
  expected.model_id = "";
  EXPECT_NO_THROW(SavedReference(path, expected, 1));
  expected = own;
  expected.protocol = "paper";
  EXPECT_EQ(refusal(path, expected).why(), "they are of the protocol lq, this run has paper");
  expected = own;
  expected.windows_id = "ffff";
  EXPECT_EQ(refusal(path, expected).why(), "they are of another text or of other windows");
  expected = own;
  expected.vocabulary = 7;
  EXPECT_EQ(refusal(path, expected).why(), "they are among 2048 tokens, the model has 7");
  expected = own;
  expected.compute = "bf16";
  EXPECT_EQ(refusal(path, expected).why(), "they were computed in f32, this run computes in bf16");
  EXPECT_EQ(refusal(path, expected).fix(),
            "give --compute f32, or make them again: --save-reference");
  error_of<base::ModelNotFoundError>([&] { SavedReference("/nowhere/at/all", own, 1); });
}

}  // namespace
}  // namespace lq::behaviour
