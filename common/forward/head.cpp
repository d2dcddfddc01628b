#include "common/forward/head.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <limits>

#include "common/linalg/product.h"
#include "common/parallel/parallel_for.h"

namespace lq::forward {
namespace {

using linalg::Matrix;

// A block of the matrix is held once, one of logits by each thread.
constexpr std::size_t kTokens = 2048, kRows = 128;

constexpr WeightKey kOutput = {model::TensorRole::kOutput};

/// Rows [first, first + n) of the output matrix.
Matrix read_block(const WeightSource& weights, std::size_t first, std::size_t n, const Matrix& x,
                  int n_threads) {
  Matrix block(n, x.columns(), x.compute());
  constexpr std::size_t kStrip = 16;
  parallel::parallel_for((n + kStrip - 1) / kStrip, n_threads, [&](std::size_t strip, int) {
    const std::size_t begin = strip * kStrip, rows = std::min(kStrip, n - begin);
    std::vector<float> values(rows * x.columns());
    weights.read(kOutput, (first + begin) * x.columns(), values);
    for (std::size_t row = 0; row < rows; ++row) {
      block.set_row(begin + row, std::span(values).subspan(row * x.columns(), x.columns()));
    }
  });
  return block;
}

/// Logits of some rows for some tokens.
struct LogitBlock {
  std::size_t row = 0, rows = 0, token = 0, tokens = 0;
  std::span<const float> values;  // [rows, tokens]

  std::span<const float> line(std::size_t i) const { return values.subspan(i * tokens, tokens); }
};

/// Gives all logits to `use`, from any thread, but those of a row in the order of tokens.
void make_logits(const WeightSource& weights, const Matrix& x, int n_threads,
                 const std::function<void(const LogitBlock&)>& use) {
  const auto vocabulary = static_cast<std::size_t>(weights.shape(kOutput).at(0));
  for (std::size_t token = 0; token < vocabulary; token += kTokens) {
    const std::size_t tokens = std::min(kTokens, vocabulary - token);
    const Matrix block = read_block(weights, token, tokens, x, n_threads);
    parallel::parallel_for((x.rows() + kRows - 1) / kRows, n_threads, [&](std::size_t i, int) {
      const std::size_t row = i * kRows, rows = std::min(kRows, x.rows() - row);
      std::vector<float> values(rows * tokens);
      linalg::multiply_block({x, row, 0, rows, x.columns()}, block, values.data(), tokens,
                             linalg::Into::kReplace);
      use({row, rows, token, tokens, values});
    });
  }
}

/// ln of the sum of exp, a block at a time.
struct LogSum {
  float largest = -std::numeric_limits<float>::infinity();
  double sum = 0;  // of exp(value - largest)

  void add(std::span<const float> values) {
    const float now = std::max(largest, *std::ranges::max_element(values));
    sum *= std::exp(double{largest} - double{now});
    largest = now;
    for (const float value : values) sum += static_cast<double>(std::exp(value - now));
  }
  double value() const { return double{largest} + std::log(sum); }
};

}  // namespace

std::vector<float> logits_of(const WeightSource& weights, const Matrix& x,
                             std::span<const std::size_t> rows, int n_threads) {
  const auto vocabulary = static_cast<std::size_t>(weights.shape(kOutput).at(0));
  Matrix chosen(rows.size(), x.columns(), x.compute());
  std::vector<float> row(x.columns());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    x.get(rows[i], 0, row);
    chosen.set_row(i, row);
  }
  std::vector<float> logits(rows.size() * vocabulary);
  make_logits(weights, chosen, n_threads, [&](const LogitBlock& block) {
    for (std::size_t i = 0; i < block.rows; ++i) {
      std::ranges::copy(block.line(i), logits.data() + (block.row + i) * vocabulary + block.token);
    }
  });
  return logits;
}

std::vector<std::int32_t> next_tokens(std::span<const std::size_t> lengths,
                                      std::span<const std::int32_t> ids) {
  std::vector<std::int32_t> next(ids.size(), -1);
  std::size_t begin = 0;
  for (const std::size_t length : lengths) {
    std::copy_n(ids.data() + begin + 1, length - 1, next.data() + begin);
    begin += length;
  }
  assert(begin == ids.size());
  return next;
}

std::vector<double> token_losses(const WeightSource& weights, const Matrix& x,
                                 std::span<const std::int32_t> next, int n_threads) {
  assert(next.size() == x.rows());
  std::vector<LogSum> sums(x.rows());
  std::vector<float> logit_of_next(x.rows());
  make_logits(weights, x, n_threads, [&](const LogitBlock& block) {
    for (std::size_t i = 0; i < block.rows; ++i) {
      const std::size_t row = block.row + i;
      if (next[row] < 0) continue;
      sums[row].add(block.line(i));
      const auto id = static_cast<std::size_t>(next[row]);
      if (id >= block.token && id < block.token + block.tokens) {
        logit_of_next[row] = block.line(i)[id - block.token];
      }
    }
  });
  std::vector<double> losses;
  for (std::size_t row = 0; row < x.rows(); ++row) {
    if (next[row] >= 0) losses.push_back(sums[row].value() - double{logit_of_next[row]});
  }
  return losses;
}

}  // namespace lq::forward
