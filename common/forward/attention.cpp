#include "common/forward/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/linalg/product.h"

namespace lq::forward {
namespace {

// Rows of scores at once: enough for the products' rate, few enough for the cache.
constexpr std::size_t kRows = 256;

/// Turns scores into weights that are not yet divided by their sum, and returns that.
float soften(std::span<float> scores, float scale) {
  const float largest = *std::ranges::max_element(scores);
  float sum = 0;
  for (float& score : scores) {
    score = std::exp((score - largest) * scale);
    sum += score;
  }
  return sum;
}

}  // namespace

void attend_head(const AttentionShape& shape, const linalg::Matrix& q, const linalg::Matrix& k,
                 const linalg::Matrix& v_transposed, std::span<float> out) {
  const std::size_t group = shape.n_heads / shape.n_kv_heads, d = shape.head_dim;
  const std::size_t n = k.rows();
  const std::size_t step = std::max<std::size_t>(1, kRows / group);
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d)));
  std::vector<float> scores, sums;
  for (std::size_t t0 = 0; t0 < n; t0 += step) {
    const std::size_t t1 = std::min(n, t0 + step);
    const std::size_t window = shape.sliding_window == 0 ? n : shape.sliding_window;
    const std::size_t first_key = t0 + 1 > window ? t0 + 1 - window : 0;
    const std::size_t rows = (t1 - t0) * group, keys = t1 - first_key;
    scores.resize(rows * keys);
    sums.resize(rows);
    linalg::multiply_block({q, t0 * group, 0, rows, d}, {k, first_key, 0, keys, d}, scores.data(),
                           keys, linalg::Into::kReplace);
    linalg::Matrix weights(rows, keys, q.compute());
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t t = t0 + row / group;
      const std::size_t begin = std::max(first_key, t + 1 > window ? t + 1 - window : 0);
      const std::span line(scores.data() + row * keys, keys);
      const auto seen = line.subspan(begin - first_key, t + 1 - begin);
      sums[row] = soften(seen, scale);
      std::fill(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(begin - first_key), 0.0F);
      std::fill(line.begin() + static_cast<std::ptrdiff_t>(t + 1 - first_key), line.end(), 0.0F);
      weights.set_row(row, line);
    }
    float* const block = out.data() + t0 * group * d;
    linalg::multiply_block(weights, {v_transposed, 0, first_key, d, keys}, block, d,
                           linalg::Into::kReplace);
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < d; ++i) block[row * d + i] /= sums[row];
    }
  }
}

}  // namespace lq::forward
