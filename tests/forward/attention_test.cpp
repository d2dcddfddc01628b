#include "common/forward/attention.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "common/parallel/parallel_for.h"

namespace lq::forward {
namespace {

using linalg::Compute;
using linalg::Matrix;

/// Heads of a batch with random values.
Heads random_heads(const AttentionShape& shape, std::size_t n_tokens, Compute compute) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 2);
  Heads heads;
  heads.reshape(shape, n_tokens, compute);
  for (Matrix* matrix : {&heads.q, &heads.k, &heads.v}) {
    std::vector<float> values(matrix->rows() * matrix->columns());
    for (float& value : values) value = normal(random);
    matrix->set(0, 0, values);
  }
  return heads;
}

/// The definition for one query: softmax of its scores in float64.
std::vector<double> attended(const AttentionShape& shape, const Heads& heads, std::size_t n_tokens,
                             std::size_t begin, std::size_t t, std::size_t head) {
  const std::size_t d = shape.head_dim, group = shape.group(), kv = head / group;
  std::vector<float> q(d), k(d), v(d);
  heads.q.get((kv * n_tokens + begin + t) * group + head % group, 0, q);
  const std::size_t first =
      shape.sliding_window == 0 ? 0 : t + 1 - std::min(t + 1, shape.sliding_window);
  std::vector<double> scores, sums(d);
  for (std::size_t s = first; s <= t; ++s) {
    heads.k.get(kv * n_tokens + begin + s, 0, k);
    double score = 0;
    for (std::size_t i = 0; i < d; ++i) score += double{q[i]} * double{k[i]};
    scores.push_back(score / std::sqrt(static_cast<double>(d)));
  }
  const double largest = *std::ranges::max_element(scores);
  double total = 0;
  for (std::size_t s = first; s <= t; ++s) {
    heads.v.get(kv * n_tokens + begin + s, 0, v);
    const double weight = std::exp(scores[s - first] - largest);
    total += weight;
    for (std::size_t i = 0; i < d; ++i) sums[i] += weight * double{v[i]};
  }
  for (double& sum : sums) sum /= total;
  return sums;
}

class AttentionTest : public ::testing::TestWithParam<Compute> {
 protected:
  /// Compares every `step`-th token of all windows.
  void expect_definition(const AttentionShape& shape, const std::vector<std::size_t>& lengths,
                         std::size_t step) {
    std::size_t n_tokens = 0;
    std::vector<QueryBlock> blocks;
    for (const std::size_t length : lengths) {
      add_query_blocks(shape, n_tokens, length, blocks);
      n_tokens += length;
    }
    const Heads heads = random_heads(shape, n_tokens, GetParam());
    Matrix out(n_tokens, shape.n_heads * shape.head_dim, GetParam());
    std::vector<AttentionScratch> scratch(2);
    parallel::parallel_for(blocks.size(), 2, [&](std::size_t i, int worker) {
      attend_block(shape, heads, blocks[i], scratch[static_cast<std::size_t>(worker)], out);
    });
    const double tolerance = GetParam() == Compute::kBf16 ? 0.03 : 2e-5;
    std::vector<float> found(shape.head_dim);
    std::size_t begin = 0;
    for (const std::size_t length : lengths) {
      for (std::size_t t = 0; t < length; t += std::min(step, length - t)) {
        for (std::size_t head = 0; head < shape.n_heads; ++head) {
          const auto wanted = attended(shape, heads, n_tokens, begin, t, head);
          out.get(begin + t, head * shape.head_dim, found);
          for (std::size_t i = 0; i < wanted.size(); ++i) {
            ASSERT_NEAR(found[i], wanted[i], tolerance) << "token " << t << " head " << head;
          }
        }
      }
      begin += length;
    }
  }
};

TEST_P(AttentionTest, OfSeveralWindowsIsTheDefinition) {
  expect_definition({.n_heads = 6, .n_kv_heads = 2, .head_dim = 16}, {70, 1, 200}, 3);
}

TEST_P(AttentionTest, OfOneHeadPerKeyIsTheDefinition) {
  expect_definition({.n_heads = 2, .n_kv_heads = 2, .head_dim = 20}, {150}, 1);
}

TEST_P(AttentionTest, OfAWindowOfManyBlocksOfKeysIsTheDefinition) {
  expect_definition({.n_heads = 4, .n_kv_heads = 1, .head_dim = 8}, {1300}, 17);
}

TEST_P(AttentionTest, LooksBackAsFarAsTheSlidingWindow) {
  for (const std::size_t sliding : {1U, 33U, 64U, 700U}) {
    expect_definition({.n_heads = 2, .n_kv_heads = 1, .head_dim = 8, .sliding_window = sliding},
                      {1300, 40}, 13);
  }
}

TEST(Attention, MemoryOfAThreadDoesNotGrowWithTheWindow) {
  const AttentionShape shape = {.n_heads = 4, .n_kv_heads = 1, .head_dim = 8};
  const std::size_t stated = attention_scratch_bytes(shape);
  EXPECT_LT(stated, 2U << 20);
  for (const std::size_t n : {600U, 3000U}) {
    const Heads heads = random_heads(shape, n, Compute::kF32);
    Matrix out(n, 32, Compute::kF32);
    AttentionScratch scratch;
    parallel::parallel_for(1, 1, [&](std::size_t, int) {
      attend_block(shape, heads, {0, 0, n - 64, n}, scratch, out);
    });
    const std::size_t held =
        4 * (scratch.scores.capacity() + scratch.sums.capacity() + scratch.largest.capacity() +
             scratch.total.capacity() + 512 * scratch.weights.rows());
    EXPECT_LE(held, stated) << n;
  }
}

INSTANTIATE_TEST_SUITE_P(All, AttentionTest,
                         ::testing::Values(Compute::kReference, Compute::kF32, Compute::kBf16),
                         [](const auto& compute) {
                           return compute.param == Compute::kReference ? "Reference"
                                  : compute.param == Compute::kF32     ? "F32"
                                                                       : "Bf16";
                         });

}  // namespace
}  // namespace lq::forward
