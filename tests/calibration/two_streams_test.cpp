// The original and the changed model side by side, against a pass over both in memory.

#include "common/calibration/two_streams.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <map>

#include "common/calibration/calibrator.h"
#include "common/model/checkpoint.h"
#include "tests/support/scratch.h"

namespace lq::calibration {
namespace {

using forward::Site;
using linalg::Compute;
using lq::testing::ScratchDirectory;

constexpr std::array kSiteOrder = {Site::kAttnIn, Site::kAttnOut, Site::kMlpIn, Site::kMlpDown};

/// The bundled model's weights, those of matrices changed a little.
class ChangedWeights : public forward::WeightSource {
 public:
  explicit ChangedWeights(const forward::WeightSource& original) : original_(original) {}
  tensor::Shape shape(const forward::WeightKey& key) const override { return original_.shape(key); }
  void read(const forward::WeightKey& key, std::size_t first, std::span<float> out) const override {
    original_.read(key, first, out);
    if (original_.shape(key).size() < 2) return;
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] *= 1 + 0.05F * static_cast<float>((first + i) % 5);
    }
  }

 private:
  const forward::WeightSource& original_;
};

class TwoStreamsTest : public ::testing::Test {
 protected:
  TwoStreamsTest()
      : checkpoint_(model::open_checkpoint(std::filesystem::path(LQ_TEST_DATA) / "tiny-llama")),
        weights_(checkpoint_),
        changed_(weights_) {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 90; ++i) ids.push_back((i * 53) % 2000);
    lanes_ = deal_lanes(ids, std::vector<std::int64_t>{0, 30, 55, 90}, 2);
    settings_ = {.compute = Compute::kF32, .folder = scratch_.path(), .tag = "tag", .n_threads = 2};
  }

  forward::Layer load(const forward::WeightSource& weights, int layer) const {
    return forward::load_layer(weights, checkpoint_.config, layer, Compute::kF32, 2);
  }

  using Sums = std::map<std::pair<int, Site>, std::vector<CrossProducts>>;
  Sums run(TwoStreams& streams, int first, int end, const forward::WeightSource& quantized) const {
    Sums sums;
    for (int layer = first; layer < end; ++layer) {
      const forward::Layer a = load(weights_, layer), b = load(quantized, layer);
      for (const Site site : kSiteOrder) {
        auto& lanes = sums[{layer, site}];
        lanes.resize(lanes_.size());
        streams.at(layer, site, a, b,
                   [&](std::size_t lane, CrossProducts& made) { lanes[lane] = std::move(made); });
      }
      streams.end_layer(layer, a, b);
    }
    return sums;
  }

  /// Inputs and residual streams of a lane in memory.
  struct Seen {
    std::vector<std::vector<float>> x;  // per token
    std::vector<float> h;               // the stream that the site's output is added to
  };
  std::map<std::pair<int, Site>, Seen> look(const forward::WeightSource& weights, const Lane& lane,
                                            int n_layers) const {
    std::map<std::pair<int, Site>, Seen> seen;
    const auto hidden = static_cast<std::size_t>(checkpoint_.config.hidden);
    forward::LayerPass pass(checkpoint_.config, Compute::kF32, 1);
    std::vector<float> h = forward::embed(weights, lane.ids, hidden);
    const auto keep = [&](int layer, Site site, const linalg::Matrix& x) {
      Seen& here = seen[{layer, site}];
      here.h = h;
      for (std::size_t t = 0; t < x.rows(); ++t) {
        x.get(t, 0, here.x.emplace_back(x.columns()));
      }
    };
    for (int layer = 0; layer < n_layers; ++layer) {
      const forward::Layer loaded = load(weights, layer);
      const linalg::Matrix in = pass.attention_input(loaded, h);
      keep(layer, Site::kAttnIn, in);
      const linalg::Matrix attended = pass.attend(loaded, lane.batches[0].windows, in);
      keep(layer, Site::kAttnOut, attended);
      pass.attention_output(loaded, attended, h);
      const linalg::Matrix middle = pass.mlp_input(loaded, h);
      keep(layer, Site::kMlpIn, middle);
      const linalg::Matrix activated = pass.mlp_activation(loaded, middle);
      keep(layer, Site::kMlpDown, activated);
      pass.mlp_output(loaded, activated, h);
    }
    return seen;
  }

  const ScratchDirectory scratch_;
  const model::Checkpoint checkpoint_;
  const forward::CheckpointWeights weights_;
  const ChangedWeights changed_;
  std::vector<Lane> lanes_;
  StreamSettings settings_;
};

TEST_F(TwoStreamsTest, GiveTheCrossProductsOfTheirInputs) {
  TwoStreams streams(checkpoint_.config, lanes_, settings_);
  streams.embed(weights_, changed_);
  const Sums sums = run(streams, 0, 2, changed_);
  const auto hidden = static_cast<std::size_t>(checkpoint_.config.hidden);
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    const auto original = look(weights_, lanes_[lane], 2),
               quantized = look(changed_, lanes_[lane], 2);
    for (const auto& [place, made] : sums) {
      SCOPED_TRACE(static_cast<int>(place.second));
      const Seen &f = original.at(place), &q = quantized.at(place);
      const CrossProducts& is = made[lane];
      const std::size_t d = q.x[0].size(), n = q.x.size();
      EXPECT_EQ(is.count, static_cast<std::int64_t>(n));
      const bool with_residual = place.second == Site::kAttnOut || place.second == Site::kMlpDown;
      EXPECT_EQ(is.residual_cross.size(), with_residual ? hidden * d : 0);
      for (std::size_t i = 0; i < d; i += 13) {
        for (std::size_t j = 0; j < d; j += 11) {
          double gram = 0, inputs = 0, size = 0, residual = 0, residual_size = 0;
          for (std::size_t t = 0; t < n; ++t) {
            gram += double{q.x[t][i]} * q.x[t][j];
            inputs += (double{f.x[t][i]} - q.x[t][i]) * q.x[t][j];
            size += (std::abs(f.x[t][i]) + std::abs(q.x[t][i])) * std::abs(q.x[t][j]);
            if (!with_residual) continue;
            const std::size_t at = t * hidden + i % hidden;
            residual += (double{f.h[at]} - q.h[at]) * q.x[t][j];
            residual_size += (std::abs(f.h[at]) + std::abs(q.h[at])) * std::abs(q.x[t][j]);
          }
          if (j >= i) {
            ASSERT_NEAR(is.gram[i * d + j], gram, 1e-4 * size + 1e-6);
          }
          ASSERT_NEAR(is.cross[i * d + j], inputs, 1e-4 * size + 1e-6);
          if (with_residual) {
            ASSERT_NEAR(is.residual_cross[(i % hidden) * d + j], residual,
                        1e-4 * residual_size + 1e-6);
          }
        }
      }
    }
  }
}

TEST_F(TwoStreamsTest, OfOneModelDoNotDiffer) {
  TwoStreams streams(checkpoint_.config, lanes_, settings_);
  streams.embed(weights_, weights_);
  for (const auto& [place, lanes] : run(streams, 0, 2, weights_)) {
    for (const CrossProducts& sums : lanes) {
      EXPECT_TRUE(std::ranges::all_of(sums.cross, [](float x) { return x == 0; }));
      EXPECT_TRUE(std::ranges::all_of(sums.residual_cross, [](float x) { return x == 0; }));
    }
  }
}

TEST_F(TwoStreamsTest, HaveTheGramMatricesOfACalibration) {
  TwoStreams streams(checkpoint_.config, lanes_, settings_);
  streams.embed(weights_, weights_);
  const Sums sums = run(streams, 0, 1, weights_);
  const ScratchDirectory other;
  Calibrator calibrator(
      checkpoint_.config, weights_, lanes_,
      {.compute = Compute::kF32, .scratch = other.path(), .tag = "tag", .n_threads = 1});
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    const LayerStats stats = calibrator.lane_step(lane, 0);
    for (const Site site : kSiteOrder) {
      EXPECT_EQ(sums.at({0, site})[lane].gram, stats.at(site).gram);
    }
  }
}

TEST_F(TwoStreamsTest, GoOnFromTheStatesOfALayer) {
  TwoStreams whole(checkpoint_.config, lanes_, settings_);
  whole.embed(weights_, changed_);
  const Sums wanted = run(whole, 0, 3, changed_);
  settings_.folder = scratch_.path() / "second";
  {
    TwoStreams begun(checkpoint_.config, lanes_, settings_);
    EXPECT_FALSE(begun.has_states(0));
    begun.embed(weights_, changed_);
    run(begun, 0, 2, changed_);
    EXPECT_TRUE(begun.has_states(1)) << "the caller may not have kept yet what it made of layer 1";
    begun.forget_before(2);
    EXPECT_FALSE(begun.has_states(1));
  }
  TwoStreams resumed(checkpoint_.config, lanes_, settings_);
  ASSERT_TRUE(resumed.has_states(2));
  const Sums again = run(resumed, 2, 3, changed_);
  for (const Site site : kSiteOrder) {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      EXPECT_EQ(again.at({2, site})[lane].cross, wanted.at({2, site})[lane].cross);
      EXPECT_EQ(again.at({2, site})[lane].residual_cross,
                wanted.at({2, site})[lane].residual_cross);
    }
  }
}

TEST_F(TwoStreamsTest, AKillBetweenTheEndsOfBothLeavesTheLayerToBeginAnew) {
  TwoStreams streams(checkpoint_.config, lanes_, settings_);
  streams.embed(weights_, changed_);
  run(streams, 0, 1, changed_);
  std::filesystem::remove(scratch_.path() / "quantized/lane-1/states-001");
  TwoStreams resumed(checkpoint_.config, lanes_, settings_);
  EXPECT_FALSE(resumed.has_states(1));
  ASSERT_TRUE(resumed.has_states(0));
  run(resumed, 0, 1, changed_);
  EXPECT_TRUE(resumed.has_states(1));
}

TEST_F(TwoStreamsTest, LanesWithoutTokensAreLeftOut) {
  lanes_ = deal_lanes(lanes_[0].ids, std::vector<std::int64_t>{0, 20, 50}, 4);
  TwoStreams streams(checkpoint_.config, lanes_, settings_);
  streams.embed(weights_, changed_);
  const forward::Layer layer = load(weights_, 0);
  std::vector<std::size_t> seen;
  streams.at(0, Site::kAttnIn, layer, layer,
             [&](std::size_t lane, CrossProducts&) { seen.push_back(lane); });
  EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1}));
}

TEST_F(TwoStreamsTest, SayWhereAFileIsGone) {
  TwoStreams streams(checkpoint_.config, lanes_, settings_);
  streams.embed(weights_, changed_);
  const forward::Layer layer = load(weights_, 0);
  const auto ignore = [](std::size_t, CrossProducts&) {};
  streams.at(0, Site::kAttnIn, layer, layer, ignore);
  streams.at(0, Site::kAttnOut, layer, layer, ignore);
  std::filesystem::remove(scratch_.path() / "quantized/lane-1/attended-000");
  const auto error = lq::testing::error_of<base::CheckpointError>(
      [&] { streams.at(0, Site::kMlpIn, layer, layer, ignore); });
  EXPECT_NE(std::string(error.what()).find("attended"), std::string::npos);
  EXPECT_EQ(error.why(), "it was removed or damaged while the run was under way");
}

}  // namespace
}  // namespace lq::calibration
