#include "common/forward/attention.h"

#include <algorithm>
#include <cmath>

#include "common/kernels/exp_rows.h"
#include "common/linalg/product.h"

namespace lq::forward {
namespace {

// Rows of scores at once: enough for the products' rate, few enough for the cache. More positions
// than kMostPositions would see too many keys behind them in vain.
constexpr std::size_t kRows = 256, kMostPositions = 128;
// Keys at once. Blocks begin at multiples of kKeyStep, so that shapes repeat.
constexpr std::size_t kKeys = 512, kKeyStep = 64;

std::size_t positions_per_block(const AttentionShape& shape) {
  return std::clamp<std::size_t>(kRows / shape.group(), 1, kMostPositions);
}

/// Turns one row's scores of the keys [first, first + keys) into weights, of which those of
/// [begin, end) count; rescales what the row has so far.
void soften_row(std::size_t row, std::size_t begin, std::size_t end, float scale,
                std::size_t head_dim, AttentionScratch& scratch) {
  linalg::Matrix& weights = scratch.weights;
  const std::size_t keys = weights.columns(), size = weights.element_bytes();
  std::fill_n(weights.at(row, 0), begin * size, std::byte{0});
  std::fill_n(weights.at(row, 0) + end * size, (keys - end) * size, std::byte{0});
  if (begin == end) return;
  const float* const scores = scratch.scores.data() + row * keys + begin;
  const float before = scratch.largest[row];
  const float largest = std::max(before, kernels::largest_value(scores, end - begin));
  const float kept = std::exp((before - largest) * scale);
  scratch.largest[row] = largest;
  scratch.total[row] =
      scratch.total[row] * kept + kernels::softmax_weights(scores, end - begin, largest, scale,
                                                           weights.dtype(), weights.at(row, begin));
  if (kept == 1.0F) return;
  float* const sums = scratch.sums.data() + row * head_dim;
  for (std::size_t i = 0; i < head_dim; ++i) sums[i] *= kept;
}

}  // namespace

void Heads::reshape(const AttentionShape& shape, std::size_t n_tokens, linalg::Compute compute) {
  q.reshape(n_tokens * shape.n_heads, shape.head_dim, compute);
  k.reshape(n_tokens * shape.n_kv_heads, shape.head_dim, compute);
  v.reshape(n_tokens * shape.n_kv_heads, shape.head_dim, compute);
}

void add_query_blocks(const AttentionShape& shape, std::size_t begin, std::size_t length,
                      std::vector<QueryBlock>& blocks, std::size_t first) {
  const std::size_t step = positions_per_block(shape);
  for (std::size_t kv = 0; kv < shape.n_kv_heads; ++kv) {
    for (std::size_t t = first; t < length; t += step) {
      blocks.push_back({kv, begin, t, std::min(length, t + step)});
    }
  }
}

std::size_t attention_scratch_bytes(const AttentionShape& shape) {
  const std::size_t rows = positions_per_block(shape) * shape.group();
  return rows * ((kKeys * 2 + shape.head_dim + 2) * sizeof(float));
}

void attend_block(const AttentionShape& shape, const Heads& heads, const QueryBlock& block,
                  AttentionScratch& scratch, linalg::Matrix& out) {
  const std::size_t group = shape.group(), d = shape.head_dim;
  const std::size_t first_row = block.kv * out.rows() + block.begin;
  const std::size_t rows = (block.last - block.first) * group;
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d)));
  const linalg::Block queries(heads.q, (first_row + block.first) * group, 0, rows, d);
  scratch.scores.resize(rows * kKeys);
  scratch.sums.assign(rows * d, 0.0F);
  scratch.largest.assign(rows, -std::numeric_limits<float>::infinity());
  scratch.total.assign(rows, 0.0F);
  const std::size_t first_key = shape.earliest(block.first) / kKeyStep * kKeyStep;
  for (std::size_t key = first_key; key < block.last; key += kKeys) {
    const std::size_t keys = std::min(kKeys, block.last - key);
    linalg::multiply_block(queries, {heads.k, first_row + key, 0, keys, d}, scratch.scores.data(),
                           keys, linalg::Into::kReplace);
    scratch.weights.reshape(rows, keys, out.compute());
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t t = block.first + row / group;
      const std::size_t end = std::clamp(t + 1, key, key + keys) - key;
      const std::size_t begin = std::clamp(shape.earliest(t), key, key + end) - key;
      soften_row(row, begin, end, scale, d, scratch);
    }
    linalg::weigh_rows(scratch.weights, {heads.v, first_row + key, 0, keys, d}, scratch.sums.data(),
                       d, linalg::Into::kAdd);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    float* const sums = scratch.sums.data() + row * d;
    const float share = 1.0F / scratch.total[row];
    for (std::size_t i = 0; i < d; ++i) sums[i] *= share;
  }
  for (std::size_t t = block.first; t < block.last; ++t) {
    out.set(block.begin + t, block.kv * group * d,
            {scratch.sums.data() + (t - block.first) * group * d, group * d});
  }
}

}  // namespace lq::forward
