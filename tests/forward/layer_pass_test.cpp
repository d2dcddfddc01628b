// The steps of a layer on random weights: results are the same for any number of threads, texts do
// not see each other, and memory is what was stated.

#include "common/forward/layer_pass.h"

#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <vector>

namespace lq::forward {
namespace {

using linalg::Compute;
using linalg::Matrix;
using model::TensorRole;

/// Heads of 24 values, so that no tile holds a power of two of them; biases and norms of heads.
model::ModelConfig small_config() {
  model::ModelConfig config;
  config.n_layers = 1;
  config.hidden = 144;
  config.ffn = 328;
  config.n_heads = 12;
  config.n_kv_heads = 3;
  config.head_dim = 24;
  config.context = 4096;
  config.vocab = 10;
  config.norm_eps = 1e-5;
  return config;
}

/// Random weights of a layer of that shape.
class RandomWeights : public WeightSource {
 public:
  explicit RandomWeights(const model::ModelConfig& config) {
    const std::int64_t q = config.n_heads * config.head_dim,
                       kv = config.n_kv_heads * config.head_dim;
    add(TensorRole::kAttnNorm, {config.hidden});
    add(TensorRole::kFfnNorm, {config.hidden});
    add(TensorRole::kAttnQNorm, {config.head_dim});
    add(TensorRole::kAttnKNorm, {config.head_dim});
    add_linear(TensorRole::kAttnQ, q, config.hidden);
    add_linear(TensorRole::kAttnK, kv, config.hidden);
    add_linear(TensorRole::kAttnV, kv, config.hidden);
    add_linear(TensorRole::kAttnOutput, config.hidden, q);
    add_linear(TensorRole::kFfnGate, config.ffn, config.hidden);
    add_linear(TensorRole::kFfnUp, config.ffn, config.hidden);
    add_linear(TensorRole::kFfnDown, config.hidden, config.ffn);
  }

  tensor::Shape shape(const WeightKey& key) const override {
    const auto found = shapes_.find(key);
    return found == shapes_.end() ? tensor::Shape{} : found->second;
  }
  void read(const WeightKey& key, std::size_t first, std::span<float> out) const override {
    const float size = shape(key).size() == 1 ? 1.0F : 0.1F;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto place =
          static_cast<unsigned>(first + i) + 1000003U * static_cast<unsigned>(key.role);
      out[i] = size * std::sin(static_cast<float>(place * 2654435761U >> 8));
    }
  }

 private:
  void add(TensorRole role, tensor::Shape shape, bool is_bias = false) {
    shapes_[{role, 0, is_bias}] = std::move(shape);
  }
  void add_linear(TensorRole role, std::int64_t outputs, std::int64_t inputs) {
    add(role, {outputs, inputs});
    add(role, {outputs}, true);
  }

  std::map<WeightKey, tensor::Shape> shapes_;
};

class LayerPassTest : public ::testing::TestWithParam<Compute> {
 protected:
  static std::vector<float> random_states(std::size_t n_tokens) {
    std::mt19937 random(8);
    std::normal_distribution<float> normal;
    std::vector<float> h(n_tokens * 144);
    for (float& value : h) value = normal(random);
    return h;
  }
  /// Hidden states behind the layer, and what each site saw as bytes.
  std::vector<float> run(const Windows& windows, std::vector<float> h, int n_threads,
                         std::vector<std::byte>* sites = nullptr) {
    LayerPass pass(config_, GetParam(), n_threads);
    const Layer layer = load_layer(RandomWeights(config_), config_, 0, GetParam(), n_threads);
    pass.run(layer, windows, h, [&](Site, const Matrix& x) {
      EXPECT_EQ(x.rows(), windows.n_tokens());
      if (sites != nullptr)
        sites->insert(sites->end(), x.data(), x.data() + x.rows() * x.row_bytes());
    });
    return h;
  }

  model::ModelConfig config_ = small_config();
};

TEST_P(LayerPassTest, BytesDoNotDependOnTheNumberOfThreads) {
  const Windows windows = {{300, 5, 70}};
  std::vector<std::byte> sites, again;
  const std::vector<float> one = run(windows, random_states(375), 1, &sites);
  for (const int n_threads : {2, 3}) {
    again.clear();
    EXPECT_EQ(run(windows, random_states(375), n_threads, &again), one);
    EXPECT_EQ(again, sites);
  }
}

TEST_P(LayerPassTest, AWindowDoesNotDependOnItsNeighbours) {
  const std::vector<float> h = random_states(375);
  const std::vector<float> together = run({{300, 5, 70}}, h, 2);
  const auto last = static_cast<std::ptrdiff_t>(70 * 144);
  const std::vector<float> alone = run({{70}}, {h.end() - last, h.end()}, 2);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    ASSERT_NEAR(together[together.size() - alone.size() + i], alone[i],
                GetParam() == Compute::kBf16 ? 0.05 : 1e-4);
  }
}

TEST_P(LayerPassTest, AnotherBatchLeavesNothingBehind) {
  LayerPass pass(config_, GetParam(), 2);
  const Layer layer = load_layer(RandomWeights(config_), config_, 0, GetParam(), 2);
  const auto none = [](Site, const Matrix&) {};
  std::vector<float> first = random_states(90), longer = random_states(700), second = first;
  pass.run(layer, {{90}}, first, none);
  pass.run(layer, {{600, 100}}, longer, none);
  pass.run(layer, {{90}}, second, none);
  EXPECT_EQ(first, second);
}

INSTANTIATE_TEST_SUITE_P(All, LayerPassTest,
                         ::testing::Values(Compute::kReference, Compute::kF32, Compute::kBf16),
                         [](const auto& compute) {
                           return compute.param == Compute::kReference ? "Reference"
                                  : compute.param == Compute::kF32     ? "F32"
                                                                       : "Bf16";
                         });

TEST(LayerPass, FasterPathsAgreeWithThePlainLoops) {
  const model::ModelConfig config = small_config();
  std::map<Compute, std::vector<float>> results;
  std::mt19937 random(9);
  std::normal_distribution<float> normal;
  std::vector<float> h(600 * 144);
  for (float& value : h) value = normal(random);
  for (const Compute compute : {Compute::kReference, Compute::kF32, Compute::kBf16}) {
    LayerPass pass(config, compute, 2);
    results[compute] = h;
    pass.run(load_layer(RandomWeights(config), config, 0, compute, 2), {{560, 40}},
             results[compute], [](Site, const Matrix&) {});
  }
  double largest = 0;
  for (const float value : results[Compute::kReference]) {
    largest = std::max(largest, std::abs(double{value}));
  }
  for (std::size_t i = 0; i < h.size(); ++i) {
    const float wanted = results[Compute::kReference][i];
    ASSERT_NEAR(results[Compute::kF32][i], wanted, 1e-5 * largest);
    ASSERT_NEAR(results[Compute::kBf16][i], wanted, 0.03 * largest);
  }
}

TEST(LayerPass, MemoryOfA7BIsFarBelowALayersGramMatrices) {
  model::ModelConfig config;
  config.hidden = 4096;
  config.ffn = 11008;
  config.n_heads = config.n_kv_heads = 32;
  config.head_dim = 128;
  const std::size_t bytes = LayerPass::bytes(config, Compute::kBf16, 2048, 512, 2);
  EXPECT_GE(bytes, 2048U * (4096U * 4 + 11008) * 2);
  EXPECT_LT(bytes, 160U << 20);
  EXPECT_GT(LayerPass::bytes(config, Compute::kF32, 2048, 512, 2), bytes);
}

}  // namespace
}  // namespace lq::forward
