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

/// Two windows, with room for more tokens than they have, some tokens at a time.
TEST_P(LayerPassTest, KeptHeadsGiveWhatTheWholeWindowGives) {
  const std::vector<float> h = random_states(90);
  const std::vector<float> whole = run({{60, 30}}, h, 2);
  LayerPass pass(config_, GetParam(), 2);
  const Layer layer = load_layer(RandomWeights(config_), config_, 0, GetParam(), 2);
  Heads kept;
  const std::vector<std::vector<NextTokens>> steps = {
      {{0, 0, 50}, {64, 0, 7}}, {{64, 7, 29}}, {{0, 50, 51}, {64, 29, 30}}, {{0, 51, 60}}};
  for (const std::vector<NextTokens>& step : steps) {
    std::vector<float> rows, wanted;
    for (const NextTokens& next : step) {
      const std::size_t begin = next.begin == 0 ? 0 : 60;  // of the window in h
      const auto first = static_cast<std::ptrdiff_t>((begin + next.first) * 144),
                 last = static_cast<std::ptrdiff_t>((begin + next.last) * 144);
      rows.insert(rows.end(), h.begin() + first, h.begin() + last);
      wanted.insert(wanted.end(), whole.begin() + first, whole.begin() + last);
    }
    const Matrix& x =
        pass.attend_next(layer, step, pass.attention_input(layer, rows), 64, 128, kept);
    pass.attention_output(layer, x, rows);
    pass.mlp_output(layer, pass.mlp_activation(layer, pass.mlp_input(layer, rows)), rows);
    const double tolerance = GetParam() == Compute::kBf16 ? 0.05 : 1e-4;
    for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_NEAR(rows[i], wanted[i], tolerance) << i;
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

/// The layer as its equations say, in float64, a token after the other.
class PlainLayer {
 public:
  using Row = std::vector<double>;

  PlainLayer(const WeightSource& weights, const model::ModelConfig& config)
      : weights_(weights), config_(config), rope_(rope_frequencies(config, 1)) {}

  /// The hidden states of one text.
  std::vector<Row> run(std::vector<Row> h) const {
    std::vector<Row> keys, values;
    const auto d = static_cast<std::size_t>(config_.head_dim);
    const auto group = static_cast<std::size_t>(config_.n_heads / config_.n_kv_heads);
    for (std::size_t t = 0; t < h.size(); ++t) {
      const Row x = norm(TensorRole::kAttnNorm, h[t]);
      const Row q = turned(TensorRole::kAttnQNorm, linear(TensorRole::kAttnQ, x), t);
      keys.push_back(turned(TensorRole::kAttnKNorm, linear(TensorRole::kAttnK, x), t));
      values.push_back(linear(TensorRole::kAttnV, x));
      Row mixed(q.size());
      for (std::size_t head = 0; head * d < q.size(); ++head) {
        Row weight(t + 1);
        double total = 0;
        for (std::size_t s = 0; s <= t; ++s) {
          double score = 0;
          for (std::size_t i = 0; i < d; ++i)
            score += q[head * d + i] * keys[s][head / group * d + i];
          total += weight[s] = std::exp(score / std::sqrt(static_cast<double>(d)));
        }
        for (std::size_t s = 0; s <= t; ++s) {
          for (std::size_t i = 0; i < d; ++i) {
            mixed[head * d + i] += weight[s] / total * values[s][head / group * d + i];
          }
        }
      }
      add(h[t], linear(TensorRole::kAttnOutput, mixed));
      const Row y = norm(TensorRole::kFfnNorm, h[t]);
      Row gate = linear(TensorRole::kFfnGate, y);
      const Row up = linear(TensorRole::kFfnUp, y);
      for (std::size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
      add(h[t], linear(TensorRole::kFfnDown, gate));
    }
    return h;
  }

 private:
  static void add(Row& h, const Row& x) {
    for (std::size_t i = 0; i < h.size(); ++i) h[i] += x[i];
  }
  Row vector(const WeightKey& key) const {
    const std::vector<float> values = load_vector(weights_, key);
    return {values.begin(), values.end()};
  }
  Row linear(TensorRole role, const Row& x) const {
    Row y = vector({role, 0, true});
    std::vector<float> row(x.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      weights_.read({role, 0}, i * x.size(), row);
      for (std::size_t k = 0; k < x.size(); ++k) y[i] += double{row[k]} * x[k];
    }
    return y;
  }
  Row norm(TensorRole role, const Row& x) const {
    const Row weight = vector({role, 0});
    double squares = 0;
    for (const double value : x) squares += value * value;
    Row y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      y[i] =
          x[i] * weight[i] / std::sqrt(squares / static_cast<double>(x.size()) + config_.norm_eps);
    }
    return y;
  }
  /// Heads normalised and rotated.
  Row turned(TensorRole role, const Row& heads, std::size_t t) const {
    const auto d = static_cast<std::size_t>(config_.head_dim), half = d / 2;
    Row all;
    for (std::size_t head = 0; head < heads.size(); head += d) {
      const auto at = heads.begin() + static_cast<std::ptrdiff_t>(head);
      Row one = norm(role, {at, at + static_cast<std::ptrdiff_t>(d)});
      for (std::size_t i = 0; i < half; ++i) {
        const double angle = static_cast<double>(t) * rope_.per_position[i];
        const double a = one[i], b = one[i + half];
        one[i] = a * std::cos(angle) - b * std::sin(angle);
        one[i + half] = b * std::cos(angle) + a * std::sin(angle);
      }
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }

  const WeightSource& weights_;
  const model::ModelConfig& config_;
  RopeFrequencies rope_;
};

TEST_P(LayerPassTest, IsTheEquationsOfTheLayer) {
  const std::vector<std::size_t> lengths = {30, 45};
  const std::vector<float> h = random_states(75), found = run({lengths}, h, 2);
  const RandomWeights weights(config_);
  const PlainLayer plain(weights, config_);
  std::size_t token = 0;
  for (const std::size_t length : lengths) {
    std::vector<PlainLayer::Row> text;
    for (std::size_t t = 0; t < length; ++t) {
      const float* const row = h.data() + (token + t) * 144;
      text.emplace_back(row, row + 144);
    }
    for (const PlainLayer::Row& wanted : plain.run(std::move(text))) {
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        ASSERT_NEAR(found[token * 144 + i], wanted[i], GetParam() == Compute::kBf16 ? 0.15 : 1e-4)
            << token;
      }
      ++token;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, LayerPassTest,
                         ::testing::Values(Compute::kReference, Compute::kF32, Compute::kBf16),
                         [](const auto& compute) {
                           return compute.param == Compute::kReference ? "Reference"
                                  : compute.param == Compute::kF32     ? "F32"
                                                                       : "Bf16";
                         });

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
