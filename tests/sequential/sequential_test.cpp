// The pass over a small model with random weights, quantized coarsely.

#include "common/sequential/sequential.h"

#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "common/forward/layer_pass.h"
#include "common/model/checkpoint.h"
#include "tests/forward/random_model.h"

namespace lq::sequential {
namespace {

using calibration::TokenWindows;
using forward::Site;
using forward::WeightKey;
using lq::testing::error_of;
using lq::testing::ScratchDirectory;
using model::TensorRole;
using tensor::QuantizedMatrix;

TokenWindows random_windows(std::size_t n_windows, std::size_t n_tokens) {
  TokenWindows windows;
  windows.ids = lq::testing::random_ids(n_windows * n_tokens);
  for (std::size_t i = 1; i <= n_windows; ++i) {
    windows.offsets.push_back(static_cast<std::int64_t>(i * n_tokens));
  }
  return windows;
}

/// A model with some matrices quantized.
class QuantizedWeights : public forward::WeightSource {
 public:
  explicit QuantizedWeights(const forward::WeightSource& original) : original_(original) {}

  tensor::Shape shape(const WeightKey& key) const override { return original_.shape(key); }
  void read(const WeightKey& key, std::size_t first, std::span<float> out) const override {
    const auto found = matrices.find(key);
    if (found == matrices.end()) return original_.read(key, first, out);
    const std::size_t columns = found->second.columns;
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = found->second.value((first + i) / columns, (first + i) % columns);
    }
  }

  std::map<WeightKey, QuantizedMatrix> matrices;

 private:
  const forward::WeightSource& original_;
};

/// What a pass said and what became of it.
struct Made {
  explicit Made(const forward::WeightSource& original) : model(original) {}

  QuantizedWeights model;
  std::map<WeightKey, std::vector<float>> targets;
  std::map<std::pair<int, Site>, std::vector<double>> importance;
  std::map<std::pair<int, Site>, Strength> strengths;
  std::set<std::string> notes;
};

/// What becomes of a matrix.
enum class Take {
  kNothing,  // it stays
  kWeights,  // quantized, without correction
  kTarget,   // quantized
};

class SequentialTest : public ::testing::Test {
 protected:
  SequentialTest()
      : checkpoint_(model::open_checkpoint(lq::testing::write_random_model(
            model_, lq::testing::random_config("LlamaForCausalLM", {{"attention_bias", true}})))),
        weights_(checkpoint_) {
    settings_ = {
        .compute = linalg::Compute::kF32, .folder = scratch_.path(), .tag = "tag", .n_threads = 2};
  }

  SequentialPass make(const TokenWindows& windows) const {
    return {checkpoint_.config, weights_, windows, settings_};
  }

  void quantize(SequentialPass& pass, int layer, const SequentialSite& site, Take take,
                Made& made) const {
    for (const SequentialSite::Matrix& matrix : site.matrices) {
      const WeightKey key{matrix.role, layer};
      const auto columns = static_cast<std::size_t>(weights_.shape(key).back());
      std::vector<float>& target = made.targets[key];
      target.resize(matrix.rows * columns);
      pass.target(matrix.role)(0, matrix.rows, target.data());
      if (take == Take::kNothing) continue;
      const solve::ReadRows weights = [&](std::size_t first, std::size_t n, float* out) {
        weights_.read(key, first * columns, {out, n * columns});
      };
      solve::Outcome outcome;
      made.model.matrices[key] = solve::solve(
          *site.h, matrix.rows, take == Take::kTarget ? pass.target(matrix.role) : weights,
          {.bits = 2, .group_size = 16}, settings_.n_threads, outcome);
      pass.put(matrix.role, made.model.matrices[key]);
    }
  }

  Made run(SequentialPass& pass, Take take, int first = 0, int end = 3) const {
    Made made(weights_);
    for (int layer = first; layer < end; ++layer) {
      pass.begin_layer(layer);
      for (const calibration::SiteShape& shape :
           calibration::site_shapes(checkpoint_.config, false)) {
        const SequentialSite& site = pass.open_site(shape.row->site);
        made.importance[{layer, shape.row->site}] = site.importance;
        made.strengths[{layer, shape.row->site}] = site.strength;
        made.notes.insert(site.note);
        quantize(pass, layer, site, take, made);
      }
      pass.end_layer();
    }
    return made;
  }

  /// The hidden states behind the last layer.
  std::vector<float> states(const forward::WeightSource& weights,
                            const TokenWindows& windows) const {
    const auto hidden = static_cast<std::size_t>(checkpoint_.config.hidden);
    forward::LayerPass pass(checkpoint_.config, linalg::Compute::kF32, 2);
    std::vector<float> h = forward::embed(weights, windows.ids, hidden);
    const forward::Windows lengths{
        std::vector<std::size_t>(windows.n_windows(), windows.window(0).size())};
    for (int layer = 0; layer < 3; ++layer) {
      pass.run(forward::load_layer(weights, checkpoint_.config, layer, linalg::Compute::kF32, 2),
               lengths, h, [](Site, const linalg::Matrix&) {});
    }
    return h;
  }
  double loss(const forward::WeightSource& model, const TokenWindows& windows) const {
    const std::vector<float> wanted = states(weights_, windows), is = states(model, windows);
    double sum = 0, size = 0;
    for (std::size_t i = 0; i < is.size(); ++i) {
      sum += std::pow(double{is[i]} - double{wanted[i]}, 2);
      size += std::pow(double{wanted[i]}, 2);
    }
    return sum / size;
  }

  const ScratchDirectory model_, scratch_;
  const model::Checkpoint checkpoint_;
  const forward::CheckpointWeights weights_;
  SequentialSettings settings_;
};

TEST_F(SequentialTest, TargetsOfWhatIsNotQuantizedAreTheWeights) {
  SequentialPass pass = make(random_windows(5, 40));
  const Made made = run(pass, Take::kNothing);
  EXPECT_EQ(made.notes, std::set<std::string>{""});
  EXPECT_EQ(made.targets.size(), 3U * 7);
  for (const auto& [place, strength] : made.strengths) {
    EXPECT_FALSE(strength.is_needed);
    EXPECT_EQ(strength.c, 0.0);
  }
  for (const auto& [key, target] : made.targets) {
    std::vector<float> weights(target.size());
    weights_.read(key, 0, weights);
    EXPECT_EQ(target, weights);
  }
}

TEST_F(SequentialTest, ReadersOfASiteComeInOrderOneBelowTheOther) {
  SequentialPass pass = make(random_windows(4, 10));
  pass.begin_layer(0);
  const SequentialSite& site = pass.open_site(Site::kAttnIn);
  ASSERT_EQ(site.matrices.size(), 3U);
  EXPECT_EQ(site.matrices[0].role, TensorRole::kAttnQ);
  EXPECT_EQ(site.matrices[1].role, TensorRole::kAttnK);
  EXPECT_EQ(site.matrices[1].first_row, 64U);
  EXPECT_EQ(site.matrices[2].first_row, 96U);
  EXPECT_EQ(site.matrices[2].rows, 32U);
  EXPECT_EQ(site.h->n(), 64U);
}

TEST_F(SequentialTest, StatisticsAreThoseOfTheQuantizedModel) {
  const TokenWindows windows = random_windows(5, 40);
  SequentialPass pass = make(windows);
  const Made made = run(pass, Take::kTarget);
  settings_.folder = scratch_.path() / "other";
  SequentialPass of_quantized(checkpoint_.config, made.model, windows, settings_);
  const Made plain = run(of_quantized, Take::kNothing);
  EXPECT_EQ(made.importance, plain.importance);
}

TEST_F(SequentialTest, CorrectionBringsTheOutputCloser) {
  const TokenWindows windows = random_windows(16, 64);
  SequentialPass pass = make(windows);
  const Made corrected = run(pass, Take::kTarget);
  settings_.folder = scratch_.path() / "other";
  SequentialPass other = make(windows);
  const Made plain = run(other, Take::kWeights);
  TokenWindows unseen = windows;
  std::ranges::reverse(unseen.ids);
  EXPECT_LT(loss(corrected.model, windows), 0.9 * loss(plain.model, windows));
  EXPECT_LT(loss(corrected.model, unseen), 0.95 * loss(plain.model, unseen));
  for (const auto& [place, strength] : corrected.strengths) {
    if (place == std::pair(0, Site::kAttnIn)) continue;
    EXPECT_GT(strength.c, 0.1);
    EXPECT_LT(strength.c, 1.0);
    EXPECT_EQ(strength.n_folds, 4U);
  }
}

TEST_F(SequentialTest, DoesNotDependOnTheThreads) {
  const TokenWindows windows = random_windows(5, 40);
  settings_.n_threads = 1;
  SequentialPass one = make(windows);
  const Made made = run(one, Take::kTarget);
  settings_.n_threads = 3;
  settings_.folder = scratch_.path() / "other";
  SequentialPass three = make(windows);
  EXPECT_TRUE(run(three, Take::kTarget).targets == made.targets);
}

TEST_F(SequentialTest, GoesOnFromTheStatesOfALayer) {
  const TokenWindows windows = random_windows(5, 40);
  SequentialPass whole = make(windows);
  const Made made = run(whole, Take::kTarget);
  settings_.folder = scratch_.path() / "other";
  {
    SequentialPass killed = make(windows);
    EXPECT_TRUE(killed.can_begin(0));
    EXPECT_FALSE(killed.can_begin(1));
    run(killed, Take::kTarget, 0, 1);
    EXPECT_TRUE(killed.can_begin(1));
    killed.forget_before(1);
    killed.begin_layer(1);
    killed.open_site(Site::kAttnIn);
  }
  SequentialPass resumed = make(windows);
  const Made rest = run(resumed, Take::kTarget, 1);
  EXPECT_EQ(rest.targets.size(), 2U * 7);
  for (const auto& [key, target] : rest.targets) {
    EXPECT_TRUE(target == made.targets.at(key)) << key.layer << " " << static_cast<int>(key.role);
  }
}

TEST_F(SequentialTest, SaysWhereALayerCannotBeBegun) {
  SequentialPass pass = make(random_windows(4, 10));
  const auto error = error_of<base::CheckpointError>([&] { pass.begin_layer(2); });
  EXPECT_STREQ(error.what(), "cannot go on with layer 2");
  EXPECT_EQ(error.why(), "the hidden states that enter it are not in " + scratch_.path().string() +
                             ", or of another run");
  EXPECT_EQ(error.fix(),
            "begin anew with --no-resume: quantized layers cannot be used without the states that "
            "they left");
}

TEST_F(SequentialTest, StatesOfAnotherRunAreOfNoUse) {
  const TokenWindows windows = random_windows(4, 10);
  SequentialPass pass = make(windows);
  run(pass, Take::kNothing, 0, 1);
  settings_.tag = "another";
  EXPECT_FALSE(make(windows).can_begin(1));
}

TEST_F(SequentialTest, CorrectsNothingOnFewerThanFourWindows) {
  SequentialPass pass = make(random_windows(3, 60));
  const Made made = run(pass, Take::kTarget);
  EXPECT_EQ(made.notes,
            std::set<std::string>{"no correction: 3 of the 4 windows that it needs at least"});
  for (const auto& [key, target] : made.targets) {
    std::vector<float> weights(target.size());
    weights_.read(key, 0, weights);
    EXPECT_EQ(target, weights);
  }
}

TEST_F(SequentialTest, SaysWhereNoFoldCanBeHeldOut) {
  settings_.damping.share = 0;
  SequentialPass pass = make(random_windows(4, 5));  // 15 tokens for 64 columns
  const Made made = run(pass, Take::kTarget, 0, 1);
  EXPECT_EQ(made.notes,
            (std::set<std::string>{
                "",  // where streams do not differ yet
                "no correction: the statistics of all but the held-out windows have no factor"}));
}

/// A norm that makes what a site reads as large as is wanted.
class LoudWeights : public forward::WeightSource {
 public:
  LoudWeights(const forward::WeightSource& original, float norm)
      : original_(original), norm_(norm) {}
  tensor::Shape shape(const WeightKey& key) const override { return original_.shape(key); }
  void read(const WeightKey& key, std::size_t first, std::span<float> out) const override {
    original_.read(key, first, out);
    if (key.role == TensorRole::kFfnNorm && key.layer == 0) std::ranges::fill(out, norm_);
  }

 private:
  const forward::WeightSource& original_;
  const float norm_;
};

TEST_F(SequentialTest, SaysWhereStatisticsHaveNoFactor) {
  // Sums of squares that are float32 still, and not with what is added to them.
  const LoudWeights loud(weights_, 1e18F);
  settings_.damping.share = 100;
  SequentialPass pass(checkpoint_.config, loud, random_windows(4, 10), settings_);
  pass.begin_layer(0);
  EXPECT_EQ(pass.open_site(Site::kAttnIn).note, "");
  EXPECT_EQ(pass.open_site(Site::kAttnOut).note, "");
  const SequentialSite& site = pass.open_site(Site::kMlpIn);
  EXPECT_EQ(site.note, "no correction: the statistics have no factor");
  EXPECT_EQ(site.strength.c, 0);
}

TEST_F(SequentialTest, RefusesActivationsThatAreNotFinite) {
  const LoudWeights loud(weights_, 1e20F);  // whose squares are no float32
  SequentialPass pass(checkpoint_.config, loud, random_windows(4, 10), settings_);
  pass.begin_layer(0);
  pass.open_site(Site::kAttnIn);
  pass.open_site(Site::kAttnOut);
  const auto error = error_of<base::ConversionError>([&] { pass.open_site(Site::kMlpIn); });
  EXPECT_STREQ(error.what(), "cannot quantize layer 0 in the order of the layers");
  EXPECT_EQ(error.why(),
            "channel 0 of mlp_in has values that are not finite, or too large to be squared");
  EXPECT_EQ(error.fix(),
            "calibrate with --compute f32; if that fails too, quantize without --sequential");
}

TEST_F(SequentialTest, CanBeStoppedInALayerAndBegunAnew) {
  const TokenWindows windows = random_windows(6, 10);
  SequentialPass pass = make(windows);
  pass.begin_layer(0);
  pass.open_site(Site::kAttnIn);
  pass.open_site(Site::kAttnOut);
  const Made made = run(pass, Take::kTarget);
  settings_.folder = scratch_.path() / "other";
  SequentialPass other = make(windows);
  EXPECT_TRUE(run(other, Take::kTarget).targets == made.targets);
}

TEST(SequentialMemory, OfA7bIsUnder8GiB) {
  const ScratchDirectory scratch;
  scratch.write("config.json",
                lq::testing::random_config("LlamaForCausalLM", {{"hidden_size", 4096},
                                                                {"intermediate_size", 11008},
                                                                {"num_attention_heads", 32},
                                                                {"num_key_value_heads", 32}})
                    .dump());
  const model::ModelConfig config = model::read_config(scratch.path());
  const TokenWindows windows = random_windows(128, 512);
  const SequentialMemory memory =
      sequential_memory(config, windows, linalg::Compute::kBf16, false, 2);
  // Both layers; H with what its factor takes, C and R at the site of the down projection.
  const std::uint64_t layers = 2 * 2 * (4ULL * 4096 * 4096 + 3ULL * 4096 * 11008);
  const std::uint64_t factor = (4 + 4 + 4 + 2) * 11008ULL * 11008 + 4ULL * 4096 * 11008;
  EXPECT_GT(memory.peak, layers + factor);
  EXPECT_LT(memory.peak, 6ULL << 30);
  EXPECT_GT(memory.solving, layers + 8ULL * 11008 * 11008 + 4ULL * 4096 * 11008);
  EXPECT_LT(memory.solving, memory.peak);
}

}  // namespace
}  // namespace lq::sequential
