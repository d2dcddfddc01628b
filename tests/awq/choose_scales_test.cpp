#include "common/awq/choose_scales.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

#include "common/awq/layer_trial.h"
#include "common/calibration/token_file.h"
#include "common/linalg/gram.h"
#include "common/tensor/convert.h"
#include "tests/forward/random_model.h"

namespace lq::awq {
namespace {

using forward::Site;
using linalg::Compute;
using model::TensorRole;

constexpr std::size_t kWindow = 100, kWindows = 24, kSampleWindows = 6;

/// Statistics of a layer that windows of equal lengths enter, with a sample of the first; `h`
/// becomes what leaves it.
calibration::LayerStats stats_of(const model::ModelConfig& config,
                                 const forward::WeightSource& weights, int layer,
                                 std::vector<float>& h, std::size_t n_sampled = kSampleWindows) {
  const std::vector<calibration::SiteShape> shapes = calibration::site_shapes(config, false);
  calibration::LayerStats out =
      calibration::empty_layer_stats(shapes, calibration::GramKind::kFull);
  const std::size_t window = kWindow * static_cast<std::size_t>(config.hidden);
  for (std::size_t i = 0; i < std::min(h.size(), n_sampled * window); ++i) {
    out.sample.push_back(tensor::f32_to_bf16(h[i]));
  }
  linalg::GramProducts products(2);
  forward::LayerPass pass(config, Compute::kF32, 2);
  pass.run(forward::load_layer(weights, config, layer, Compute::kF32, 2),
           {std::vector<std::size_t>(h.size() / window, kWindow)}, h,
           [&](Site site, const linalg::Matrix& x) { out.at(site).add_rows(x, products, 2); });
  for (auto& [row, site] : out.sites) {
    const std::size_t n = site.width();
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < i; ++j) site.gram[i * n + j] = site.gram[j * n + i];
    }
  }
  return out;
}

forward::Windows sample(std::size_t n = kSampleWindows) {
  return {std::vector<std::size_t>(n, kWindow)};
}

ChoiceSettings settings(ScaleMode mode, int n_threads = 2, std::size_t group_size = 16) {
  ChoiceSettings settings;
  settings.mode = mode;
  settings.search.rounding = {.group_size = group_size, .symmetric = false};
  settings.search.n_threads = n_threads;
  settings.is_quantized = [](TensorRole, int) { return true; };
  settings.compute = Compute::kF32;
  return settings;
}

/// The first layer of a random model, and its statistics.
class ChooseScales : public ::testing::Test {
 protected:
  ChooseScales()
      : checkpoint_(model::open_checkpoint(
            testing::write_random_model(scratch_, testing::random_config("LlamaForCausalLM")))),
        original_(checkpoint_),
        outliers_(original_, checkpoint_.config),
        states_(forward::embed(original_, testing::random_ids(kWindow * kWindows), 64)) {
    // Some channels of the norms are 30 times as large, and what reads them as much smaller: the
    // same function, with outlier channels.
    LayerScales inverse;
    for (std::size_t j = 0; j < 64; ++j) {
      inverse.attn_in.push_back(j % 13 == 5 ? 1 / 30.0F : 1.0F);
      inverse.mlp_in.push_back(j % 17 == 3 ? 1 / 30.0F : 1.0F);
    }
    outliers_.set(0, inverse);
  }

  const model::ModelConfig& config() const { return checkpoint_.config; }

  /// Of the windows [first, end).
  calibration::LayerStats stats(const forward::WeightSource& weights, std::size_t first = 0,
                                std::size_t end = kWindows) const {
    std::vector<float> h(states_.begin() + static_cast<std::ptrdiff_t>(first * kWindow * 64),
                         states_.begin() + static_cast<std::ptrdiff_t>(end * kWindow * 64));
    return stats_of(config(), weights, 0, h);
  }

  LayerChoice choose(const forward::WeightSource& weights, const ChoiceSettings& settings) const {
    return choose_scales(weights, config(), 0, stats(weights), sample(), settings);
  }

  const testing::ScratchDirectory scratch_;
  const model::Checkpoint checkpoint_;
  const forward::CheckpointWeights original_;
  ScaledWeights outliers_;
  std::vector<float> states_;
};

TEST_F(ChooseScales, AutoScalesALayerWithOutlierChannels) {
  const LayerChoice choice = choose(outliers_, settings(ScaleMode::kAuto));
  EXPECT_EQ(choice.mode, ScaleMode::kGrid);
  ASSERT_EQ(choice.trials.size(), 2U);
  EXPECT_EQ(choice.trials[0].mode, ScaleMode::kNone);
  EXPECT_EQ(choice.trials[1].mode, ScaleMode::kGrid);
  EXPECT_LT(choice.trials[1].error, 0.8 * choice.trials[0].error);
  ASSERT_FALSE(choice.scales.attn_in.empty());
  EXPECT_GT(choice.scales.attn_in[5], 2 * choice.scales.attn_in[6]);
}

TEST_F(ChooseScales, AutoLeavesALayerThatGainsTooLittle) {
  ChoiceSettings strict = settings(ScaleMode::kAuto);
  strict.least_gain = 0.99;
  const LayerChoice choice = choose(outliers_, strict);
  EXPECT_EQ(choice.mode, ScaleMode::kNone);
  EXPECT_TRUE(choice.scales.is_identity());
  EXPECT_TRUE(choice.sites.empty());
  ASSERT_EQ(choice.trials.size(), 2U);
  EXPECT_LT(choice.trials[1].error, choice.trials[0].error);
}

TEST_F(ChooseScales, AutoTakesWhatTheGridFinds) {
  const LayerChoice choice = choose(outliers_, settings(ScaleMode::kAuto));
  const LayerChoice of_grid = choose(outliers_, settings(ScaleMode::kGrid));
  for (const Site site : {Site::kAttnIn, Site::kAttnOut, Site::kMlpIn, Site::kMlpDown}) {
    EXPECT_EQ(choice.scales.at(site), of_grid.scales.at(site));
  }
}

TEST_F(ChooseScales, IsTheSameForAnyNumberOfThreads) {
  for (const ScaleMode mode : {ScaleMode::kAuto, ScaleMode::kGrid, ScaleMode::kSmooth}) {
    const LayerChoice one = choose(outliers_, settings(mode, 1));
    const LayerChoice three = choose(outliers_, settings(mode, 3));
    EXPECT_EQ(one.mode, three.mode);
    for (const Site site : {Site::kAttnIn, Site::kAttnOut, Site::kMlpIn, Site::kMlpDown}) {
      EXPECT_EQ(one.scales.at(site), three.scales.at(site));
    }
    ASSERT_EQ(one.trials.size(), three.trials.size());
    for (std::size_t i = 0; i < one.trials.size(); ++i) {
      EXPECT_EQ(one.trials[i].error, three.trials[i].error);
    }
  }
}

TEST_F(ChooseScales, TakesTheSearchThatIsAskedFor) {
  const LayerChoice none = choose(outliers_, settings(ScaleMode::kNone));
  EXPECT_EQ(none.mode, ScaleMode::kNone);
  EXPECT_TRUE(none.scales.is_identity());
  for (const ScaleMode mode : {ScaleMode::kGrid, ScaleMode::kSmooth}) {
    const LayerChoice choice = choose(outliers_, settings(mode));
    EXPECT_EQ(choice.mode, mode);
    EXPECT_TRUE(choice.trials.empty());
    ASSERT_FALSE(choice.sites.empty());
    for (const SiteChoice& site : choice.sites) {
      EXPECT_LT(site.loss, site.loss_of_identity);
      EXPECT_FALSE(choice.scales.at(site.site).empty());
    }
    ScaledWeights scaled(outliers_, config());
    scaled.set(0, choice.scales);
    std::vector<float> norm(64);
    scaled.read({TensorRole::kAttnNorm, 0}, 0, norm);
    for (const float value : norm) {
      const float stored = tensor::bf16_to_f32(tensor::f32_to_bf16(value));
      EXPECT_NEAR(stored, value, 1e-6 * std::abs(stored)) << "norms are stored as they are";
    }
  }
}

TEST_F(ChooseScales, LeavesSitesAloneThatNothingQuantizedReads) {
  for (const ScaleMode mode : {ScaleMode::kGrid, ScaleMode::kAuto}) {
    ChoiceSettings without = settings(mode);
    without.is_quantized = [](TensorRole role, int) {
      return role != TensorRole::kAttnQ && role != TensorRole::kAttnK &&
             role != TensorRole::kAttnV && role != TensorRole::kFfnDown;
    };
    const LayerChoice choice = choose(outliers_, without);
    EXPECT_TRUE(choice.scales.attn_in.empty());
    EXPECT_TRUE(choice.scales.attn_out.empty()) << "v stays as it is";
    EXPECT_TRUE(choice.scales.mlp_down.empty());
    EXPECT_FALSE(choice.scales.mlp_in.empty());
  }
}

TEST_F(ChooseScales, SaysWhyThereIsNoTrial) {
  calibration::LayerStats without = stats(outliers_);
  without.sample.clear();
  const LayerChoice choice =
      choose_scales(outliers_, config(), 0, without, {}, settings(ScaleMode::kAuto));
  EXPECT_EQ(choice.mode, ScaleMode::kNone);
  EXPECT_TRUE(choice.scales.is_identity());
  EXPECT_EQ(choice.note, "no calibration tokens to try scales with");
  EXPECT_TRUE(choice.trials.empty());
}

TEST_F(ChooseScales, LeavesASiteAloneWhoseSumsAreOfNoUse) {
  calibration::LayerStats broken = stats(outliers_);
  broken.at(Site::kAttnIn).gram[0] = std::numeric_limits<float>::infinity();
  for (const ScaleMode mode : {ScaleMode::kGrid, ScaleMode::kSmooth, ScaleMode::kAuto}) {
    const LayerChoice choice =
        choose_scales(outliers_, config(), 0, broken, sample(), settings(mode));
    EXPECT_TRUE(choice.scales.attn_in.empty());
    EXPECT_FALSE(choice.scales.mlp_in.empty());
    EXPECT_EQ(choice.note,
              mode == ScaleMode::kSmooth
                  ? "a Gram matrix cannot be factored, whatever is added to the diagonal"
                  : "a Gram matrix is not finite");
  }
}

TEST_F(ChooseScales, ATrialOfTheOriginalLayerHasNoError) {
  const calibration::LayerStats all = stats(original_);
  LayerTrial trial(original_, config(), 0, Compute::kF32, 2);
  EXPECT_FALSE(trial.begin({}, sample(), kWindow));
  ASSERT_TRUE(trial.begin(all.sample, sample(), 3 * kWindow + 1));
  EXPECT_EQ(trial.error(original_, {}), 0.0);
  ScaledWeights scaled(original_, config());
  scaled.set(0, choose(original_, settings(ScaleMode::kSmooth)).scales);
  EXPECT_LT(trial.error(scaled, {}), 1e-10);
  QuantizedMatrices zeros;
  zeros[TensorRole::kFfnDown] = tensor::QuantizedMatrix(64, 112, 16, 4);
  EXPECT_GT(trial.error(original_, zeros), 0.01);
}

/// The bundled model has none.
TEST(ChooseScalesOfTheBundledModel, AutoScalesNothingWithoutOutlierChannels) {
  const std::filesystem::path data = LQ_TEST_DATA;
  const model::Checkpoint checkpoint = model::open_checkpoint(data / "tiny-llama");
  const forward::CheckpointWeights weights(checkpoint);
  const calibration::TokenWindows windows =
      calibration::read_tokens(data / "awq-gptq/calib.json", 2048);
  const std::span ids = std::span(windows.ids).first(60 * kWindow);
  std::vector<float> h = forward::embed(weights, ids, 256);
  for (int layer = 0; layer < 2; ++layer) {
    const calibration::LayerStats stats = stats_of(checkpoint.config, weights, layer, h, 20);
    const LayerChoice choice = choose_scales(weights, checkpoint.config, layer, stats, sample(20),
                                             settings(ScaleMode::kAuto, 2, 128));
    EXPECT_EQ(choice.mode, ScaleMode::kNone);
    EXPECT_TRUE(choice.scales.is_identity());
    EXPECT_TRUE(choice.sites.empty());
    for (const LayerChoice::Trial& trial : choice.trials) {
      EXPECT_GT(trial.error, 0.9 * choice.trials[0].error);
    }
    EXPECT_EQ(choice.note, "");
  }
}

TEST(SampleWindows, AreThoseOfTheFirstLaneUpToTheEndOfTheSample) {
  calibration::TokenWindows windows;
  for (const int length : {5, 9, 9, 7, 9, 9, 8}) {
    windows.offsets.push_back(windows.offsets.back() + length);
  }
  windows.ids.resize(static_cast<std::size_t>(windows.offsets.back()));
  using Lengths = std::vector<std::size_t>;
  EXPECT_EQ(sample_windows(windows, 3, 15).lengths, (Lengths{5, 7, 3}));
  EXPECT_EQ(sample_windows(windows, 3, 100).lengths, (Lengths{5, 7, 8}));
  EXPECT_EQ(sample_windows(windows, 3, 0).lengths, Lengths{});
}

}  // namespace
}  // namespace lq::awq
