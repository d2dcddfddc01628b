#include "common/forward/layer.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "common/parallel/parallel_for.h"

namespace lq::forward {
namespace {

using linalg::Compute;
using linalg::Matrix;
using linalg::PackedMatrix;
using model::TensorRole;

/// Where a layer has the linear layer of a role.
struct LinearPlace {
  TensorRole role;
  Linear Layer::*linear;
};
constexpr std::array kLinears = {LinearPlace{TensorRole::kAttnQ, &Layer::q},
                                 LinearPlace{TensorRole::kAttnK, &Layer::k},
                                 LinearPlace{TensorRole::kAttnV, &Layer::v},
                                 LinearPlace{TensorRole::kAttnOutput, &Layer::o},
                                 LinearPlace{TensorRole::kFfnGate, &Layer::gate},
                                 LinearPlace{TensorRole::kFfnUp, &Layer::up},
                                 LinearPlace{TensorRole::kFfnDown, &Layer::down}};

/// How many outputs a tile of a product must hold together: what attention reads, by heads.
std::size_t unit_of(const model::ModelConfig& config, TensorRole role) {
  const bool is_of_heads =
      role == TensorRole::kAttnQ || role == TensorRole::kAttnK || role == TensorRole::kAttnV;
  return is_of_heads ? static_cast<std::size_t>(config.head_dim) : 1;
}

/// Reads a tile's rows, some at a time: as float32 they would take twice the space.
void read_tile(const WeightSource& weights, const WeightKey& key, std::size_t tile,
               PackedMatrix& matrix) {
  constexpr std::size_t kStrip = 16;
  const std::size_t first = matrix.first_row(tile), n = matrix.rows_of(tile);
  const std::size_t columns = matrix.columns();
  Matrix rows(n, columns, matrix.compute());
  std::vector<float> values;
  for (std::size_t row = 0; row < n; row += kStrip) {
    values.resize(std::min(kStrip, n - row) * columns);
    weights.read(key, (first + row) * columns, values);
    rows.set(row, 0, values);
  }
  matrix.set_tile(tile, rows);
}

}  // namespace

std::vector<float> load_vector(const WeightSource& weights, const WeightKey& key) {
  const tensor::Shape shape = weights.shape(key);
  std::vector<float> values(shape.empty() ? 0 : static_cast<std::size_t>(shape.front()));
  if (!values.empty()) weights.read(key, 0, values);
  return values;
}

Linear load_linear(const WeightSource& weights, const model::ModelConfig& config, TensorRole role,
                   int layer, Compute compute, int n_threads) {
  const WeightKey key{role, layer};
  const tensor::Shape shape = weights.shape(key);
  Linear linear{PackedMatrix(static_cast<std::size_t>(shape.at(0)),
                             static_cast<std::size_t>(shape.at(1)), compute, unit_of(config, role)),
                load_vector(weights, {role, layer, true})};
  parallel::parallel_for(linear.weight.n_tiles(), n_threads, [&](std::size_t tile, int) {
    read_tile(weights, key, tile, linear.weight);
  });
  return linear;
}

Linear& Layer::linear(TensorRole role) {
  const auto* const found = std::ranges::find(kLinears, role, &LinearPlace::role);
  assert(found != kLinears.end());
  return this->*found->linear;
}

Layer load_layer(const WeightSource& weights, const model::ModelConfig& config, int index,
                 Compute compute, int n_threads) {
  const auto vector = [&](TensorRole role) { return load_vector(weights, {role, index}); };
  Layer layer;
  layer.attn_norm = vector(TensorRole::kAttnNorm);
  layer.ffn_norm = vector(TensorRole::kFfnNorm);
  layer.q_norm = vector(TensorRole::kAttnQNorm);
  layer.k_norm = vector(TensorRole::kAttnKNorm);
  for (const LinearPlace& place : kLinears) {
    layer.*place.linear = load_linear(weights, config, place.role, index, compute, n_threads);
  }
  layer.sliding_window = static_cast<std::size_t>(config.windows.of(index));
  return layer;
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

}  // namespace lq::forward
