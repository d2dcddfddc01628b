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
  const linalg::Matrix x =
      testing::head_input(checkpoint.config, weights, ids, {{40, 20}}, Compute::kF32);
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

/// Norms of layer 0 and a matrix that q is, of 4 channels.
class FewWeights : public forward::WeightSource {
 public:
  explicit FewWeights(std::vector<float> norm) : norm_(std::move(norm)) {}

  tensor::Shape shape(const WeightKey& key) const override {
    if (key.role == TensorRole::kAttnNorm) return {4};
    if (key.role == TensorRole::kAttnQ && !key.is_bias) return {2, 4};
    return {};
  }
  void read(const WeightKey& key, std::size_t first, std::span<float> out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = key.role == TensorRole::kAttnNorm ? norm_[first + i] : static_cast<float>(first + i);
    }
  }

 private:
  std::vector<float> norm_;
};

model::ModelConfig few_config() {
  model::ModelConfig config;
  config.n_layers = 1;
  config.hidden = 4;
  config.n_heads = config.n_kv_heads = 1;
  config.head_dim = 4;
  return config;
}

float in_type(float value, tensor::DType type) {
  return type == tensor::DType::kF16 ? tensor::f16_to_f32(tensor::f32_to_f16(value))
                                     : tensor::bf16_to_f32(tensor::f32_to_bf16(value));
}

TEST(RoundedToNorms, LeavesNormsThatRoundingToTheirTypeChangesNoMore) {
  const FewWeights weights({0.71F, -1.3F, 2.9F, 1e-3F});
  const model::ModelConfig config = few_config();
  for (const tensor::DType type : {tensor::DType::kBF16, tensor::DType::kF16}) {
    const LayerScales scales{.attn_in = {1.7F, 0.3F, 3.3F, 0.9F}};
    const LayerScales rounded = rounded_to_norms(scales, weights, 0, type);
    ScaledWeights scaled(weights, config);
    scaled.set(0, rounded);
    std::vector<float> norm(4), q(8), original(4);
    scaled.read({TensorRole::kAttnNorm, 0}, 0, norm);
    scaled.read({TensorRole::kAttnQ, 0}, 0, q);
    weights.read({TensorRole::kAttnNorm, 0}, 0, original);
    for (std::size_t j = 0; j < 4; ++j) {
      EXPECT_NEAR(rounded.attn_in[j] / scales.attn_in[j], 1, 0.005);
      const float stored = in_type(norm[j], type);
      EXPECT_NEAR(stored, norm[j], 1e-6 * std::abs(stored)) << "it is what is stored";
      for (std::size_t r = 0; r < 2; ++r) {
        const float product = original[j] * static_cast<float>(r * 4 + j);
        EXPECT_NEAR(stored * q[r * 4 + j], product, 1e-6 * std::abs(product));
      }
    }
  }
}

TEST(RoundedToNorms, TakesScalesTowards1WhereTheNormWouldBeLost) {
  // Nothing; a number that float16 has few digits of once it is divided; one that becomes 0; one
  // that becomes infinite.
  const FewWeights weights({0, 4.1e-7F, 6e-8F, 60000});
  const LayerScales scales{.attn_in = {5, 3, 60, 0.1F}};
  const LayerScales rounded = rounded_to_norms(scales, weights, 0, tensor::DType::kF16);
  EXPECT_EQ(rounded.attn_in[0], 1.0F);
  for (std::size_t j = 1; j < 4; ++j) {
    std::vector<float> weight(1);
    weights.read({TensorRole::kAttnNorm, 0}, j, weight);
    EXPECT_LT(std::abs(std::log(rounded.attn_in[j])), 0.9F * std::abs(std::log(scales.attn_in[j])));
    const float stored = in_type(weight[0] / rounded.attn_in[j], tensor::DType::kF16);
    ASSERT_TRUE(stored != 0 && std::isfinite(stored)) << j;
    EXPECT_TRUE(rounded.attn_in[j] == 1 ||
                std::abs(stored * rounded.attn_in[j] / weight[0] - 1) < 1e-6F)
        << j;
  }
  const LayerScales none = rounded_to_norms({}, weights, 0, tensor::DType::kF16);
  EXPECT_TRUE(none.is_identity());
}

TEST(ScaledWeights, ScalesNothingThatNothingGives) {
  const FewWeights weights({1, 1, 1, 1});
  const IsMade all = [](TensorRole, int) { return true; };
  EXPECT_TRUE(can_scale(Site::kAttnIn, weights, 0, all));
  for (const Site site : {Site::kAttnOut, Site::kMlpIn, Site::kMlpDown}) {
    EXPECT_FALSE(can_scale(site, weights, 0, all));
  }
}

TEST(ScaledWeights, ScalesNothingThatIsCopiedAsItIs) {
  const model::Checkpoint checkpoint =
      model::open_checkpoint(std::filesystem::path(LQ_TEST_DATA) / "tiny-llama");
  const forward::CheckpointWeights weights(checkpoint);
  const auto can = [&](Site site, TensorRole copied) {
    return can_scale(site, weights, 1,
                     [=](TensorRole role, int layer) { return role != copied || layer != 1; });
  };
  EXPECT_FALSE(can(Site::kAttnOut, TensorRole::kAttnV)) << "its rows give the channels";
  EXPECT_FALSE(can(Site::kAttnOut, TensorRole::kAttnOutput)) << "its columns read them";
  EXPECT_FALSE(can(Site::kMlpDown, TensorRole::kFfnUp));
  EXPECT_FALSE(can(Site::kMlpIn, TensorRole::kFfnUp)) << "gate alone would be scaled";
  EXPECT_TRUE(can(Site::kMlpDown, TensorRole::kFfnGate)) << "no scale of the site is in it";
  EXPECT_TRUE(can(Site::kAttnIn, TensorRole::kAttnNorm)) << "vectors are made anew with the layer";
}

TEST(ScaledWeights, ReadsAnyPartOfATensor) {
  const testing::ScratchDirectory scratch;
  const model::Checkpoint checkpoint = model::open_checkpoint(testing::write_random_model(
      scratch, testing::random_config("LlamaForCausalLM", {{"attention_bias", true}})));
  const forward::CheckpointWeights original(checkpoint);
  ScaledWeights scaled(original, checkpoint.config);
  scaled.set(1, random_scales(checkpoint.config, 4));
  for (const WeightKey& key :
       {WeightKey{TensorRole::kAttnV, 1}, WeightKey{TensorRole::kAttnV, 1, true},
        WeightKey{TensorRole::kFfnUp, 1}, WeightKey{TensorRole::kFfnNorm, 1}}) {
    std::size_t n = 1;
    for (const std::int64_t extent : scaled.shape(key)) n *= static_cast<std::size_t>(extent);
    std::vector<float> whole(n), part(n - 13);
    scaled.read(key, 0, whole);
    scaled.read(key, 7, part);
    for (std::size_t i = 0; i < part.size(); ++i) ASSERT_EQ(part[i], whole[7 + i]);
  }
  std::vector<float> mine(64), theirs(64);
  scaled.read({TensorRole::kFfnUp, 0}, 0, mine);
  original.read({TensorRole::kFfnUp, 0}, 0, theirs);
  EXPECT_EQ(mine, theirs) << "another layer";
}

TEST(DivideGram, IsTheSumOfDividedInputs) {
  std::vector<float> gram = {4, 6, 6, 18};
  divide_gram(gram, std::vector<float>{2, 3}, 2);
  EXPECT_EQ(gram, (std::vector<float>{1, 1, 1, 2}));
}

}  // namespace
}  // namespace lq::awq
