#include "common/forward/rope.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "common/model/rope_factors.h"

namespace lq::forward {
namespace {

using model::ModelConfig;
using model::RopeScalingKind;

ModelConfig config_with(RopeScalingKind scaling, std::int64_t head_dim, std::int64_t context,
                        double factor) {
  ModelConfig config;
  config.head_dim = head_dim;
  config.context = context;
  config.rope.scaling = scaling;
  config.rope.factor = factor;
  return config;
}

void expect_frequencies(const ModelConfig& config, std::size_t n_positions,
                        const std::vector<double>& wanted) {
  const std::vector<double> got = rope_frequencies(config, n_positions).per_position;
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(got[i] / wanted[i], 1, 1e-12) << i;
}

TEST(RopeFrequencies, FallFromOneByTheBase) {
  const ModelConfig plain = config_with(RopeScalingKind::kNone, 8, 100, 1);
  expect_frequencies(plain, 300, {1, 0.1, 0.01, 0.001});
  EXPECT_EQ(rope_frequencies(plain, 300).attention_factor, 1);
}

TEST(RopeFrequencies, AreDividedByALinearFactor) {
  expect_frequencies(config_with(RopeScalingKind::kLinear, 8, 100, 4), 10,
                     {0.25, 0.025, 0.0025, 0.00025});
}

TEST(RopeFrequencies, OfDynamicScalingDependOnTheLengthBeyondTheTrainedOne) {
  const ModelConfig dynamic = config_with(RopeScalingKind::kDynamic, 8, 100, 2);
  expect_frequencies(dynamic, 100, {1, 0.1, 0.01, 0.001});
  expect_frequencies(dynamic, 300, {1, 0.05848035476425732, 0.0034199518933533944, 0.0002});
}

TEST(RopeFrequencies, OfYarnAreBlended) {
  ModelConfig yarn = config_with(RopeScalingKind::kYarn, 16, 131072, 4);
  yarn.rope.original_context = 4096;
  expect_frequencies(yarn, 10,
                     {1, 0.31622776601683794, 0.1, 0.02569350598886808, 0.00625,
                      0.001383496476323666, 0.00025, 7.905694150420948e-05});
  EXPECT_NEAR(rope_frequencies(yarn, 10).attention_factor, 1.138629436111989, 1e-12);
  yarn.rope.attention_factor = 1.5;
  EXPECT_EQ(rope_frequencies(yarn, 10).attention_factor, 1.5);
  // From pair 2.6180... to pair 5.6283..., not from 2 to 6.
  yarn.rope.whole_pairs = false;
  expect_frequencies(yarn, 10,
                     {1, 0.31622776601683794, 0.1, 0.02861360881198889, 0.006556971521129436,
                      0.001285632030726688, 0.00025, 7.905694150420948e-05});
}

TEST(RopeFrequencies, OfLlama3AreThoseOfTheConverter) {
  ModelConfig llama = config_with(RopeScalingKind::kLlama3, 16, 131072, 8);
  llama.rope.original_context = 8192;
  const std::vector<float> divisors = model::llama3_rope_factors(llama);
  const std::vector<double> got = rope_frequencies(llama, 10).per_position;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i] * double{divisors[i]} / std::pow(10000.0, -2.0 * double(i) / 16), 1, 1e-12);
  }
  EXPECT_GT(divisors.back(), 7);
}

TEST(RopeFrequencies, StatedDivisorsComeOnTopOfTheScaling) {
  const ModelConfig llama = config_with(RopeScalingKind::kLlama3, 8, 131072, 8);
  ModelConfig stated = config_with(RopeScalingKind::kNone, 8, 131072, 1);
  stated.rope.divisors = model::llama3_rope_factors(llama);
  EXPECT_EQ(rope_frequencies(stated, 10).per_position, rope_frequencies(llama, 10).per_position);
  ModelConfig linear = config_with(RopeScalingKind::kLinear, 8, 100, 4);
  const std::vector<double> plain = rope_frequencies(linear, 10).per_position;
  linear.rope.divisors = {1, 2, 4, 8};
  const std::vector<double> got = rope_frequencies(linear, 10).per_position;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(got[i], plain[i] / (1 << i));
}

TEST(RopeTable, RotatesTheTwoHalvesOfAHead) {
  const ModelConfig plain = config_with(RopeScalingKind::kNone, 4, 100, 1);
  const RopeTable table(plain, 6);
  std::vector<float> head = {1, 2, 3, 4};
  table.rotate(0, head);
  EXPECT_EQ(head, (std::vector<float>{1, 2, 3, 4}));
  table.rotate(5, head);
  const std::vector<double> angles = {5, 0.05};
  for (std::size_t i = 0; i < 2; ++i) {
    const double a = double(i) + 1, b = double(i) + 3;
    EXPECT_NEAR(head[i], a * std::cos(angles[i]) - b * std::sin(angles[i]), 1e-6);
    EXPECT_NEAR(head[i + 2], b * std::cos(angles[i]) + a * std::sin(angles[i]), 1e-6);
  }
}

TEST(RopeTables, AreOneForAllLengthsButWithDynamicScaling) {
  const ModelConfig plain = config_with(RopeScalingKind::kNone, 4, 100, 1);
  RopeTables tables(plain);
  tables.prepare(10);
  tables.prepare(20);
  tables.prepare(5);
  EXPECT_EQ(&tables.of(5), &tables.of(20));
  std::vector<float> head = {1, 2, 3, 4};
  tables.of(5).rotate(19, head);
  const ModelConfig dynamic = config_with(RopeScalingKind::kDynamic, 4, 10, 2);
  RopeTables by_length(dynamic);
  by_length.prepare(20);
  by_length.prepare(40);
  EXPECT_NE(&by_length.of(20), &by_length.of(40));
}

}  // namespace
}  // namespace lq::forward
