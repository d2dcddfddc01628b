#include "common/forward/layer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/forward/attention.h"
#include "common/forward/norm.h"
#include "common/linalg/product.h"
#include "common/parallel/parallel_for.h"

namespace lq::forward {
namespace {

using linalg::Compute;
using linalg::Into;
using linalg::Matrix;
using model::TensorRole;

/// x W^T + b as float32.
std::vector<float> apply(const Linear& linear, const Matrix& x, int n_threads) {
  const std::size_t n = linear.weight.rows();
  std::vector<float> y(x.rows() * n);
  linalg::multiply(x, linear.weight, y.data(), Into::kReplace, n_threads);
  if (linear.bias.empty()) return y;
  parallel::parallel_for(x.rows(), n_threads, [&](std::size_t row, int) {
    for (std::size_t i = 0; i < n; ++i) y[row * n + i] += linear.bias[i];
  });
  return y;
}

float silu(float x) { return x / (1.0F + std::exp(-x)); }

}  // namespace

std::size_t Windows::n_tokens() const {
  return std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
}

std::vector<float> load_vector(const WeightSource& weights, const WeightKey& key) {
  const tensor::Shape shape = weights.shape(key);
  std::vector<float> values(shape.empty() ? 0 : static_cast<std::size_t>(shape.front()));
  if (!values.empty()) weights.read(key, 0, values);
  return values;
}

Linear load_linear(const WeightSource& weights, TensorRole role, int layer, Compute compute,
                   int n_threads) {
  const WeightKey key{role, layer};
  const tensor::Shape shape = weights.shape(key);
  const auto rows = static_cast<std::size_t>(shape.at(0));
  const auto columns = static_cast<std::size_t>(shape.at(1));
  Linear linear{Matrix(rows, columns, compute), load_vector(weights, {role, layer, true})};
  constexpr std::size_t kStrip = 16;
  parallel::parallel_for((rows + kStrip - 1) / kStrip, n_threads, [&](std::size_t strip, int) {
    const std::size_t first = strip * kStrip, n = std::min(kStrip, rows - first);
    std::vector<float> values(n * columns);
    weights.read(key, first * columns, values);
    for (std::size_t row = 0; row < n; ++row) {
      linear.weight.set_row(first + row, std::span(values).subspan(row * columns, columns));
    }
  });
  return linear;
}

Layer load_layer(const WeightSource& weights, const model::ModelConfig& config, int layer,
                 Compute compute, int n_threads) {
  const auto linear = [&](TensorRole role) {
    return load_linear(weights, role, layer, compute, n_threads);
  };
  const auto vector = [&](TensorRole role) { return load_vector(weights, {role, layer}); };
  return {.attn_norm = vector(TensorRole::kAttnNorm),
          .ffn_norm = vector(TensorRole::kFfnNorm),
          .q_norm = vector(TensorRole::kAttnQNorm),
          .k_norm = vector(TensorRole::kAttnKNorm),
          .q = linear(TensorRole::kAttnQ),
          .k = linear(TensorRole::kAttnK),
          .v = linear(TensorRole::kAttnV),
          .o = linear(TensorRole::kAttnOutput),
          .gate = linear(TensorRole::kFfnGate),
          .up = linear(TensorRole::kFfnUp),
          .down = linear(TensorRole::kFfnDown),
          .sliding_window = static_cast<std::size_t>(config.windows.of(layer))};
}

std::vector<float> embed(const WeightSource& weights, std::span<const std::int32_t> ids,
                         std::size_t hidden) {
  std::vector<float> h(ids.size() * hidden);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    weights.read({TensorRole::kTokenEmbedding}, static_cast<std::size_t>(ids[i]) * hidden,
                 std::span(h).subspan(i * hidden, hidden));
  }
  return h;
}

LayerPass::LayerPass(const model::ModelConfig& config, Compute compute, int n_threads)
    : config_(config), compute_(compute), n_threads_(n_threads), rope_(config) {}

Matrix LayerPass::normalized(std::span<const float> norm, std::span<const float> h) const {
  const std::size_t n = norm.size();
  Matrix x(h.size() / n, n, compute_);
  parallel::parallel_for(x.rows(), n_threads_, [&](std::size_t row, int) {
    std::vector<float> values(n);
    rms_norm(h.subspan(row * n, n), norm, config_.norm_eps, values);
    x.set_row(row, values);
  });
  return x;
}

Matrix LayerPass::attention_input(const Layer& layer, std::span<const float> h) const {
  return normalized(layer.attn_norm, h);
}

Matrix LayerPass::attend(const Layer& layer, const Windows& windows, const Matrix& x) {
  const AttentionShape shape = {.n_heads = static_cast<std::size_t>(config_.n_heads),
                                .n_kv_heads = static_cast<std::size_t>(config_.n_kv_heads),
                                .head_dim = static_cast<std::size_t>(config_.head_dim),
                                .sliding_window = layer.sliding_window};
  const std::size_t d = shape.head_dim, group = shape.n_heads / shape.n_kv_heads;
  const std::size_t q_row = shape.n_heads * d, kv_row = shape.n_kv_heads * d;
  std::vector<float> q = apply(layer.q, x, n_threads_), k = apply(layer.k, x, n_threads_);
  const std::vector<float> v = apply(layer.v, x, n_threads_);
  std::vector<std::size_t> begins;
  for (std::size_t begin = 0; const std::size_t length : windows.lengths) {
    begins.push_back(begin);
    begin += length;
    rope_.prepare(length);
  }
  Matrix result(x.rows(), q_row, compute_);
  const auto one = [&](std::size_t item, int) {
    const std::size_t window = item / shape.n_kv_heads, kv = item % shape.n_kv_heads;
    const std::size_t n = windows.lengths[window], begin = begins[window];
    const RopeTable& rope = rope_.of(n);
    Matrix queries(n * group, d, compute_), keys(n, d, compute_), values(d, n, compute_);
    std::vector<float> head(d), line(n);
    const auto turned = [&](const float* from, const std::vector<float>& norm, std::size_t t) {
      std::copy_n(from, d, head.begin());
      if (!norm.empty()) rms_norm(head, norm, config_.norm_eps, head);
      rope.rotate(t, head);
      return std::span<const float>(head);
    };
    for (std::size_t t = 0; t < n; ++t) {
      const std::size_t row = begin + t;
      for (std::size_t g = 0; g < group; ++g) {
        queries.set_row(t * group + g,
                        turned(q.data() + row * q_row + (kv * group + g) * d, layer.q_norm, t));
      }
      keys.set_row(t, turned(k.data() + row * kv_row + kv * d, layer.k_norm, t));
    }
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t t = 0; t < n; ++t) line[t] = v[(begin + t) * kv_row + kv * d + i];
      values.set_row(i, line);
    }
    std::vector<float> out(n * group * d);
    attend_head(shape, queries, keys, values, out);
    for (std::size_t t = 0; t < n; ++t) {
      result.set(begin + t, kv * group * d, std::span(out).subspan(t * group * d, group * d));
    }
  };
  parallel::parallel_for(windows.lengths.size() * shape.n_kv_heads, n_threads_, one);
  return result;
}

void LayerPass::add_linear(const Linear& linear, const Matrix& x, std::span<float> h) const {
  linalg::multiply(x, linear.weight, h.data(), Into::kAdd, n_threads_);
  if (linear.bias.empty()) return;
  const std::size_t n = linear.bias.size();
  for (std::size_t i = 0; i < h.size(); ++i) h[i] += linear.bias[i % n];
}

void LayerPass::attention_output(const Layer& layer, const Matrix& x, std::span<float> h) const {
  add_linear(layer.o, x, h);
}

Matrix LayerPass::mlp_input(const Layer& layer, std::span<const float> h) const {
  return normalized(layer.ffn_norm, h);
}

Matrix LayerPass::mlp_activation(const Layer& layer, const Matrix& x) const {
  std::vector<float> gate = apply(layer.gate, x, n_threads_);
  const std::vector<float> up = apply(layer.up, x, n_threads_);
  const std::size_t n = layer.gate.weight.rows();
  Matrix result(x.rows(), n, compute_);
  parallel::parallel_for(x.rows(), n_threads_, [&](std::size_t row, int) {
    const std::span line(gate.data() + row * n, n);
    for (std::size_t i = 0; i < n; ++i) line[i] = silu(line[i]) * up[row * n + i];
    result.set_row(row, line);
  });
  return result;
}

void LayerPass::mlp_output(const Layer& layer, const Matrix& x, std::span<float> h) const {
  add_linear(layer.down, x, h);
}

void LayerPass::run(const Layer& layer, const Windows& windows, std::span<float> h,
                    const std::function<void(Site, const Matrix&)>& at_site) {
  Matrix x = attention_input(layer, h);
  at_site(Site::kAttnIn, x);
  x = attend(layer, windows, x);
  at_site(Site::kAttnOut, x);
  attention_output(layer, x, h);
  x = mlp_input(layer, h);
  at_site(Site::kMlpIn, x);
  x = mlp_activation(layer, x);
  at_site(Site::kMlpDown, x);
  mlp_output(layer, x, h);
}

}  // namespace lq::forward
