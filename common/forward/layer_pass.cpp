#include "common/forward/layer_pass.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "common/forward/norm.h"
#include "common/kernels/exp_rows.h"
#include "common/linalg/product.h"
#include "common/parallel/parallel_for.h"

namespace lq::forward {
namespace {

using linalg::Compute;
using linalg::Matrix;
using linalg::PackedMatrix;
using linalg::Tile;

void add_bias(const Linear& linear, const Tile& tile, std::size_t product) {
  if (linear.bias.empty()) return;
  for (std::size_t row = 0; row < tile.rows; ++row) {
    float* const line = tile.line(product, row);
    for (std::size_t i = 0; i < tile.columns; ++i) line[i] += linear.bias[tile.column + i];
  }
}

AttentionShape attention_shape(const model::ModelConfig& config, std::size_t sliding_window) {
  return {.n_heads = static_cast<std::size_t>(config.n_heads),
          .n_kv_heads = static_cast<std::size_t>(config.n_kv_heads),
          .head_dim = static_cast<std::size_t>(config.head_dim),
          .sliding_window = sliding_window};
}

}  // namespace

std::size_t Windows::n_tokens() const {
  return std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
}

LayerPass::LayerPass(const model::ModelConfig& config, Compute compute, int n_threads)
    : config_(config),
      compute_(compute),
      n_threads_(n_threads),
      rope_(config),
      attention_(static_cast<std::size_t>(std::max(n_threads, 1))) {}

const Matrix& LayerPass::normalized(std::span<const float> norm, std::span<const float> h) {
  constexpr std::size_t kStrip = 16;
  const std::size_t n = norm.size(), rows = h.size() / n;
  input_.reshape(rows, n, compute_);
  parallel::parallel_for((rows + kStrip - 1) / kStrip, n_threads_, [&](std::size_t strip, int) {
    const std::size_t end = std::min(rows, (strip + 1) * kStrip);
    for (std::size_t row = strip * kStrip; row < end; ++row) {
      rms_norm(h.subspan(row * n, n), norm, config_.norm_eps, input_.dtype(), input_.at(row, 0));
    }
  });
  return input_;
}

const Matrix& LayerPass::attention_input(const Layer& layer, std::span<const float> h) {
  return normalized(layer.attn_norm, h);
}

/// Writes x W^T + b to `heads` as Heads wants it, `group` heads side by side; each head normalised
/// and rotated first, where it is.
void LayerPass::project_heads(const Linear& linear, const Matrix& x, const Norm* norm, bool rotates,
                              std::size_t group, Matrix& heads) {
  const std::size_t d = heads.columns(), n_slots = heads.rows() * d / linear.weight.rows();
  const PackedMatrix* const factors[] = {&linear.weight};
  linalg::multiply_tiles(x, factors, n_threads_, [&](const Tile& tile) {
    add_bias(linear, tile, 0);
    for (std::size_t row = 0; row < tile.rows; ++row) {
      const std::size_t token = tile.row + row;
      const std::span line(tile.line(0, row), tile.columns);
      if (norm != nullptr && !norm->empty()) {
        for (std::size_t i = 0; i < line.size(); i += d) {
          rms_norm(line.subspan(i, d), *norm, config_.norm_eps, line.subspan(i, d));
        }
      }
      const Place& place = places_[token];
      if (rotates) place.rope->rotate(place.position, line);
      for (std::size_t i = 0; i < line.size();) {
        const std::size_t head = (tile.column + i) / d, g = head % group;
        const std::size_t n = std::min((group - g) * d, line.size() - i);
        heads.set((head / group * n_slots + place.slot) * group + g, 0, line.subspan(i, n));
        i += n;
      }
    }
  });
}

const Matrix& LayerPass::attend(const Layer& layer, const Windows& windows, const Matrix& x) {
  const AttentionShape shape = attention_shape(config_, layer.sliding_window);
  for (const std::size_t length : windows.lengths) rope_.prepare(length);
  places_.clear();
  std::vector<QueryBlock> blocks;
  for (const std::size_t length : windows.lengths) {
    add_query_blocks(shape, places_.size(), length, blocks);
    for (std::size_t t = 0; t < length; ++t) {
      places_.push_back({&rope_.of(length), t, places_.size()});
    }
  }
  heads_.reshape(shape, x.rows(), compute_);
  inner_.reshape(x.rows(), shape.n_heads * shape.head_dim, compute_);
  attend_blocks(layer, shape, x, blocks, heads_, inner_);
  return inner_;
}

const Matrix& LayerPass::attend_next(const Layer& layer, std::span<const NextTokens> tokens,
                                     const Matrix& x, std::size_t longest, std::size_t room,
                                     Heads& kept) {
  const AttentionShape shape = attention_shape(config_, layer.sliding_window);
  rope_.prepare(longest);
  places_.clear();
  std::vector<QueryBlock> blocks;
  for (const NextTokens& next : tokens) {
    add_query_blocks(shape, next.begin, next.last, blocks, next.first);
    for (std::size_t t = next.first; t < next.last; ++t) {
      places_.push_back({&rope_.of(longest), t, next.begin + t});
    }
  }
  if (kept.k.rows() == 0) kept.reshape(shape, room, compute_);
  attended_.reshape(room, shape.n_heads * shape.head_dim, compute_);
  attend_blocks(layer, shape, x, blocks, kept, attended_);
  inner_.reshape(x.rows(), attended_.columns(), compute_);
  for (std::size_t row = 0; row < x.rows(); ++row) {
    std::memcpy(inner_.at(row, 0), attended_.at(places_[row].slot, 0), inner_.row_bytes());
  }
  return inner_;
}

void LayerPass::attend_blocks(const Layer& layer, const AttentionShape& shape, const Matrix& x,
                              std::span<const QueryBlock> blocks, Heads& heads, Matrix& out) {
  project_heads(layer.q, x, &layer.q_norm, true, shape.group(), heads.q);
  project_heads(layer.k, x, &layer.k_norm, true, 1, heads.k);
  project_heads(layer.v, x, nullptr, false, 1, heads.v);
  parallel::parallel_for(blocks.size(), n_threads_, [&](std::size_t i, int worker) {
    attend_block(shape, heads, blocks[i], attention_[static_cast<std::size_t>(worker)], out);
  });
}

void LayerPass::add_linear(const Linear& linear, const Matrix& x, std::span<float> h) const {
  const std::size_t n = linear.weight.rows();
  const PackedMatrix* const factors[] = {&linear.weight};
  linalg::multiply_tiles(x, factors, n_threads_, [&](const Tile& tile) {
    add_bias(linear, tile, 0);
    for (std::size_t row = 0; row < tile.rows; ++row) {
      const float* const line = tile.line(0, row);
      float* const to = h.data() + (tile.row + row) * n + tile.column;
      for (std::size_t i = 0; i < tile.columns; ++i) to[i] += line[i];
    }
  });
}

void LayerPass::attention_output(const Layer& layer, const Matrix& x, std::span<float> h) const {
  add_linear(layer.o, x, h);
}

const Matrix& LayerPass::mlp_input(const Layer& layer, std::span<const float> h) {
  return normalized(layer.ffn_norm, h);
}

const Matrix& LayerPass::mlp_activation(const Layer& layer, const Matrix& x) {
  const PackedMatrix* const factors[] = {&layer.gate.weight, &layer.up.weight};
  inner_.reshape(x.rows(), layer.gate.weight.rows(), compute_);
  linalg::multiply_tiles(x, factors, n_threads_, [&](const Tile& tile) {
    add_bias(layer.gate, tile, 0);
    add_bias(layer.up, tile, 1);
    for (std::size_t row = 0; row < tile.rows; ++row) {
      kernels::silu_product(tile.line(0, row), tile.line(1, row), tile.columns, inner_.dtype(),
                            inner_.at(tile.row + row, tile.column));
    }
  });
  return inner_;
}

void LayerPass::mlp_output(const Layer& layer, const Matrix& x, std::span<float> h) const {
  add_linear(layer.down, x, h);
}

void LayerPass::run(const Layer& layer, const Windows& windows, std::span<float> h,
                    const std::function<void(Site, const Matrix&)>& at_site) {
  const Matrix& attention = attention_input(layer, h);
  at_site(Site::kAttnIn, attention);
  const Matrix& attended = attend(layer, windows, attention);
  at_site(Site::kAttnOut, attended);
  attention_output(layer, attended, h);
  const Matrix& mlp = mlp_input(layer, h);
  at_site(Site::kMlpIn, mlp);
  const Matrix& activation = mlp_activation(layer, mlp);
  at_site(Site::kMlpDown, activation);
  mlp_output(layer, activation, h);
}

std::size_t LayerPass::bytes(const model::ModelConfig& config, Compute compute,
                             std::size_t n_tokens, std::size_t longest, int n_threads) {
  const AttentionShape shape = attention_shape(config, 0);
  const std::size_t q_row = shape.n_heads * shape.head_dim;
  const std::size_t kv_row = shape.n_kv_heads * shape.head_dim;
  const std::size_t inner = std::max(q_row, static_cast<std::size_t>(config.ffn));
  const std::size_t values = static_cast<std::size_t>(config.hidden) + inner + q_row + 2 * kv_row;
  const std::size_t terms = std::max(inner, static_cast<std::size_t>(config.hidden));
  const std::size_t of_thread =
      linalg::tile_scratch_bytes(2, terms, compute) + attention_scratch_bytes(shape);
  const std::size_t rope = longest * shape.head_dim * sizeof(float);
  return n_tokens * (values * linalg::element_bytes(compute) + sizeof(Place)) + rope +
         static_cast<std::size_t>(n_threads) * of_thread;
}

}  // namespace lq::forward
