// Scaling is the same function: the logits of each architecture stay what they are.

#include "common/awq/scaled_weights.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "common/calibration/sites.h"
#include "common/forward/head.h"
#include "common/solve/factored_gram.h"
#include "tests/forward/head_input.h"
#include "tests/forward/model_cases.h"

namespace lq::awq {
namespace {

using forward::Site;
using forward::WeightKey;
using linalg::Compute;
using model::TensorRole;

constexpr Site kLayerSites[] = {Site::kAttnIn, Site::kAttnOut, Site::kMlpIn, Site::kMlpDown};

/// Between 1/5 and 5, of one value where channels have one scale.
LayerScales random_scales(const model::ModelConfig& config, unsigned seed) {
  std::mt19937 random(seed);
  LayerScales scales;
  for (const Site site : kLayerSites) {
    const std::vector<std::uint32_t> which = scale_of_channels(site, config);
    std::vector<float> values(which.size());
    for (float& value : values) {
      value = std::exp2(static_cast<float>(random() % 1000) / 215 - 2.32F);
    }
    for (const std::uint32_t i : which) scales.at(site).push_back(values[i]);
  }
  return scales;
}

std::vector<float> logits(const model::Checkpoint& checkpoint,
                          const forward::WeightSource& weights) {
  const std::vector<std::int32_t> ids = testing::random_ids(60);
  const linalg::Matrix x = testing::head_input(checkpoint, weights, ids, {{40, 20}}, Compute::kF32);
  std::vector<std::size_t> positions(ids.size());
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = i;
  return forward::logits_of(weights, x, positions, 2);
}

class ScaledModel : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ScaledModel, HasTheLogitsOfTheOriginal) {
  const testing::ModelCase& c = testing::kModelCases[GetParam()];
  SCOPED_TRACE(c.name);
  const testing::ScratchDirectory scratch;
  const model::Checkpoint checkpoint =
      model::open_checkpoint(testing::write_random_model(scratch, c.config()));
  const forward::CheckpointWeights original(checkpoint);
  const std::vector<float> wanted = logits(checkpoint, original);
  ScaledWeights scaled(original, checkpoint.config), rounded(original, checkpoint.config);
  for (int layer = 0; layer < static_cast<int>(checkpoint.config.n_layers); ++layer) {
    const LayerScales scales = random_scales(checkpoint.config, static_cast<unsigned>(layer));
    scaled.set(layer, scales);
    rounded.set(layer, rounded_to_norms(scales, original, layer, tensor::DType::kBF16));
  }
  EXPECT_LT(testing::distance(logits(checkpoint, scaled), wanted), 1e-4);
  EXPECT_LT(testing::distance(logits(checkpoint, rounded), wanted), 1e-4);
  // The weights are others.
  std::vector<float> before(64), after(64);
  original.read({TensorRole::kFfnDown, 1}, 5, before);
  scaled.read({TensorRole::kFfnDown, 1}, 5, after);
  EXPECT_NE(before, after);
}

INSTANTIATE_TEST_SUITE_P(Cases, ScaledModel,
                         ::testing::Range<std::size_t>(0, std::size(testing::kModelCases)));

}  // namespace
}  // namespace lq::awq
