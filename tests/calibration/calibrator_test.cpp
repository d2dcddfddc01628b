// Statistics of the bundled model, against golden values computed in float64, and in every order of
// work that kills and shards can bring about.

#include "common/calibration/calibrator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "common/calibration/lane_file.h"
#include "common/calibration/layer_file.h"
#include "common/model/checkpoint.h"
#include "tests/support/scratch.h"

namespace lq::calibration {
namespace {

using forward::Site;
using linalg::Compute;
using lq::testing::ScratchDirectory;

const std::filesystem::path kData = LQ_TEST_DATA;

class CalibratorTest : public ::testing::Test {
 protected:
  CalibratorTest()
      : checkpoint_(model::open_checkpoint(kData / "tiny-llama")), weights_(checkpoint_) {
    settings_ = {.compute = Compute::kF32, .scratch = scratch_.path(), .tag = "tag"};
  }

  Calibrator make(std::span<const Lane> lanes) const {
    return {checkpoint_.config, weights_, lanes, settings_};
  }
  std::size_t n_steps() const { return static_cast<std::size_t>(checkpoint_.config.n_layers) + 1; }

  /// Windows of 40 to 60 ids in three lanes, of which the last has one more.
  std::vector<Lane> some_lanes() const {
    std::vector<std::int32_t> ids;
    std::vector<std::int64_t> offsets = {0};
    for (int window = 0; window < 4; ++window) {
      for (int i = 0; i < 40 + 5 * window; ++i) ids.push_back((i * 37 + window * 11) % 2000);
      offsets.push_back(static_cast<std::int64_t>(ids.size()));
    }
    return deal_lanes(ids, offsets, 3);
  }
  /// What all steps give, as bytes of their files.
  std::vector<std::vector<std::byte>> all_steps(Calibrator& calibrator) const {
    std::vector<std::vector<std::byte>> files;
    for (std::size_t s = 0; s < n_steps(); ++s) files.push_back(file_of(calibrator.step(s)));
    return files;
  }
  std::vector<std::byte> file_of(const LayerStats& stats) const {
    return encode_layer(stats, static_cast<std::size_t>(checkpoint_.config.hidden), "id", 1);
  }

  static void write_lane(const Calibrator& calibrator, std::size_t lane, std::size_t s,
                         const LayerStats& stats) {
    const std::vector<std::byte> bytes = encode_lane(stats, calibrator.lane_tag(lane, s));
    std::ofstream(calibrator.lane_path(lane, s), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  const ScratchDirectory scratch_;
  const model::Checkpoint checkpoint_;
  const forward::CheckpointWeights weights_;
  CalibratorSettings settings_;
};

class GoldenStats : public CalibratorTest, public ::testing::WithParamInterface<Compute> {};

INSTANTIATE_TEST_SUITE_P(Types, GoldenStats,
                         ::testing::Values(Compute::kReference, Compute::kF32, Compute::kBf16));

// The bound in bfloat16, for each channel: values have 8 bits, and errors of layers add up.
double tolerance(Compute compute) { return compute == Compute::kBf16 ? 0.05 : 1e-4; }

TEST_P(GoldenStats, EqualThoseComputedInFloat64) {
  settings_.compute = GetParam();
  const nlohmann::json golden =
      nlohmann::json::parse(std::ifstream(kData / "tiny-llama-golden/activations.json"));
  const auto ids = golden["ids"].get<std::vector<std::int32_t>>();
  const std::vector<Lane> lanes =
      deal_lanes(ids, std::vector<std::int64_t>{0, static_cast<std::int64_t>(ids.size())}, 1);
  Calibrator calibrator = make(lanes);
  std::vector<LayerStats> steps;
  for (std::size_t s = 0; s < n_steps(); ++s) steps.push_back(calibrator.step(s));
  const std::map<std::string, Site> sites = {
      {"q_proj", Site::kAttnIn},     {"k_proj", Site::kAttnIn},   {"v_proj", Site::kAttnIn},
      {"o_proj", Site::kAttnOut},    {"gate_proj", Site::kMlpIn}, {"up_proj", Site::kMlpIn},
      {"down_proj", Site::kMlpDown}, {"lm_head", Site::kHeadIn}};
  std::size_t compared = 0;
  for (const auto& [name, wanted] : golden["layers"].items()) {
    SCOPED_TRACE(name);
    const Site site = sites.at(name.substr(name.rfind('.') + 1));
    const std::size_t step = site == Site::kHeadIn ? n_steps() - 1 : std::stoul(name.substr(13));
    const SiteStats& stats = steps[step].at(site);
    ASSERT_EQ(stats.width(), wanted["in_features"].get<std::size_t>());
    EXPECT_EQ(stats.count, 64);
    const double bound = tolerance(GetParam());
    const auto expect_near = [&](double is, double should, double scale) {
      EXPECT_NEAR(is, should, bound * scale);
      ++compared;
    };
    const auto sums = wanted["sum_sq_first16"].get<std::vector<double>>();
    const auto means = wanted["mean_abs_first16"].get<std::vector<double>>();
    double all_sq = 0, all_abs = 0;
    float largest = 0;
    for (std::size_t i = 0; i < stats.width(); ++i) {
      all_sq += stats.sum_sq[i];
      all_abs += stats.sum_abs[i] / 64;
      largest = std::max(largest, stats.max_abs[i]);
    }
    for (std::size_t i = 0; i < 16; ++i) {
      expect_near(stats.sum_sq[i], sums[i], sums[i]);
      expect_near(stats.sum_abs[i] / 64, means[i], means[i]);
    }
    expect_near(all_sq, wanted["sum_sq_sum"], wanted["sum_sq_sum"]);
    expect_near(all_abs, wanted["mean_abs_sum"], wanted["mean_abs_sum"]);
    expect_near(largest, wanted["max_abs"], wanted["max_abs"]);
    const auto gram = wanted["gram_first4"].get<std::vector<std::vector<double>>>();
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = i; j < 4; ++j) {
        expect_near(stats.gram[i * stats.width() + j], gram[i][j],
                    std::sqrt(gram[i][i] * gram[j][j]));
      }
    }
  }
  EXPECT_GE(compared, 15U * 40);
}

TEST_F(CalibratorTest, SampleIsWhatEntersTheLayer) {
  settings_.sample_tokens = 50;
  const std::vector<Lane> lanes = some_lanes();
  Calibrator calibrator = make(lanes);
  const LayerStats first = calibrator.step(0);
  const auto hidden = static_cast<std::size_t>(checkpoint_.config.hidden);
  ASSERT_EQ(first.sample.size(), 50 * hidden);
  const std::vector<float> h = forward::embed(weights_, std::span(lanes[0].ids).first(50), hidden);
  for (std::size_t i = 0; i < h.size(); i += 97) {
    const auto bits = std::uint32_t{first.sample[i]} << 16U;
    EXPECT_EQ(std::bit_cast<float>(bits), h[i]);  // the model's weights are bfloat16
  }
  settings_.sample_tokens = 10'000;  // no more than the first lane has
  EXPECT_EQ(make(lanes).step(0).sample.size(), lanes[0].n_tokens() * hidden);
}

TEST_F(CalibratorTest, EveryStepCanBeMadeAlone) {
  const std::vector<Lane> lanes = some_lanes();
  Calibrator calibrator = make(lanes);
  const auto wanted = all_steps(calibrator);
  for (std::size_t s = 0; s < n_steps(); ++s) {
    for (const bool clean : {true, false}) {
      if (clean) {
        for (const auto& entry : std::filesystem::directory_iterator(scratch_.path())) {
          std::filesystem::remove_all(entry.path());
        }
      }
      Calibrator again = make(lanes);
      EXPECT_EQ(file_of(again.step(s)), wanted[s]) << s << clean;
    }
  }
}

TEST_F(CalibratorTest, KeepsTheStatesOfOneStepWhileItMakesEarlierOnesAgain) {
  const std::vector<Lane> lanes = some_lanes();
  Calibrator calibrator = make(lanes);
  calibrator.step(4);
  for (std::size_t lane = 0; lane < 3; ++lane) {
    std::set<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(scratch_.path() / fmt::format("lane-{}", lane))) {
      names.insert(entry.path().filename());
    }
    EXPECT_EQ(names, (std::set<std::string>{"states-004", "states-005"})) << lane;
  }
}

TEST_F(CalibratorTest, DamagedStatesAreMadeAgain) {
  const std::vector<Lane> lanes = some_lanes();
  Calibrator calibrator = make(lanes);
  const auto wanted = all_steps(calibrator);
  Calibrator first = make(lanes);
  first.step(0);
  first.step(1);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_.path())) {
    if (!entry.is_regular_file()) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1000);
    file << "damage";
  }
  Calibrator again = make(lanes);
  EXPECT_EQ(file_of(again.step(2)), wanted[2]);
}

TEST_F(CalibratorTest, StatesOfAnotherRunAreNotTaken) {
  const std::vector<Lane> lanes = some_lanes();
  Calibrator calibrator = make(lanes);
  const auto wanted = all_steps(calibrator);
  std::vector<Lane> others = some_lanes();
  for (Lane& lane : others) lane.ids[0] += 1;
  settings_.tag = "another";
  Calibrator other = make(others);
  other.step(0);
  other.step(1);
  settings_.tag = "tag";
  Calibrator again = make(lanes);
  EXPECT_EQ(file_of(again.step(2)), wanted[2]);
}

TEST_F(CalibratorTest, LanesThatAreThereAreNotComputed) {
  settings_.sample_tokens = 30;
  const std::vector<Lane> lanes = some_lanes();
  Calibrator calibrator = make(lanes);
  const auto wanted = all_steps(calibrator);
  for (std::size_t s = 0; s < n_steps(); ++s) {
    Calibrator shard = make(lanes);
    for (const std::size_t lane : {std::size_t{0}, std::size_t{2}}) {
      write_lane(shard, lane, s, shard.lane_step(lane, s));
    }
    Calibrator finisher = make(lanes);
    EXPECT_EQ(file_of(finisher.step(s)), wanted[s]) << s;
    // Sums that nobody would compute show where they came from.
    LayerStats odd = shard.lane_step(2, s);
    odd.sites[0].second.count += 1000;
    write_lane(shard, 2, s, odd);
    Calibrator other = make(lanes);
    const auto tokens =
        static_cast<std::int64_t>(lanes[0].n_tokens() + lanes[1].n_tokens() + lanes[2].n_tokens());
    EXPECT_EQ(other.step(s).sites[0].second.count, tokens + 1000) << s;
    std::filesystem::remove(shard.lane_path(2, s));
  }
}

TEST_F(CalibratorTest, IsTheSameForAnyNumberOfThreads) {
  settings_.compute = Compute::kBf16;
  const std::vector<Lane> lanes = some_lanes();
  Calibrator one = make(lanes);
  const auto wanted = all_steps(one);
  for (const int n_threads : {2, 3}) {
    settings_.n_threads = n_threads;
    settings_.tag += "+";
    Calibrator more = make(lanes);
    EXPECT_EQ(all_steps(more), wanted);
  }
}

/// The bundled model with a norm so large that squares of what it gives are no float32.
class LoudWeights : public forward::WeightSource {
 public:
  explicit LoudWeights(const forward::WeightSource& original) : original_(original) {}
  tensor::Shape shape(const forward::WeightKey& key) const override { return original_.shape(key); }
  void read(const forward::WeightKey& key, std::size_t first, std::span<float> out) const override {
    original_.read(key, first, out);
    if (key.role == model::TensorRole::kFfnNorm && key.layer == 1) std::ranges::fill(out, 1e20F);
  }

 private:
  const forward::WeightSource& original_;
};

TEST_F(CalibratorTest, RefusesActivationsThatAreNotFinite) {
  const LoudWeights loud(weights_);
  const std::vector<Lane> lanes = some_lanes();
  Calibrator calibrator(checkpoint_.config, loud, lanes, settings_);
  calibrator.step(0);
  const auto error = lq::testing::error_of<base::ConversionError>([&] { calibrator.step(1); });
  EXPECT_STREQ(error.what(), "cannot keep statistics of layer 1");
  EXPECT_NE(error.why().find("of mlp_in has values that are not finite, or too large"),
            std::string::npos)
      << error.why();
}

TEST_F(CalibratorTest, TellsHowManyTokensHavePassed) {
  std::size_t told = 0;
  settings_.passed = [&told](std::size_t n) { told += n; };
  const std::vector<Lane> lanes = some_lanes();
  Calibrator calibrator = make(lanes);
  calibrator.step(0);
  EXPECT_EQ(told, lanes[0].n_tokens() + lanes[1].n_tokens() + lanes[2].n_tokens());
}

}  // namespace
}  // namespace lq::calibration
