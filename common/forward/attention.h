#pragma once
// Causal attention with grouped queries, within each window, a block of queries and a block of keys
// at a time: memory does not grow with the window. Weights of earlier blocks of keys are rescaled
// when a larger score comes (Milakov and Gimelshein, arXiv:1805.02867).

#include <cstddef>
#include <limits>
#include <vector>

#include "common/linalg/matrix.h"

namespace lq::forward {

struct AttentionShape {
  std::size_t n_heads = 0, n_kv_heads = 0, head_dim = 0;
  std::size_t sliding_window = 0;  // positions back, itself counted; 0: all

  std::size_t group() const { return n_heads / n_kv_heads; }
  /// The first position that position `t` sees.
  std::size_t earliest(std::size_t t) const {
    return sliding_window != 0 && t + 1 > sliding_window ? t + 1 - sliding_window : 0;
  }
};

/// The heads of a batch, each a row [head_dim]. Of `k` and `v` row kv * n_tokens + token; of `q`
/// the `group` heads that share one of them are neighbours: row (kv * n_tokens + token) * group + g.
struct Heads {
  linalg::Matrix q, k, v;

  void reshape(const AttentionShape& shape, std::size_t n_tokens, linalg::Compute compute);
};

/// Some queries of one window: positions [first, last) in it, of the heads that share `kv`.
struct QueryBlock {
  std::size_t kv = 0;
  std::size_t begin = 0;  // the window's first token in the batch
  std::size_t first = 0, last = 0;
};
/// The blocks of a window of `length` tokens from position `first` on, for all `kv`, added to
/// `blocks`.
void add_query_blocks(const AttentionShape& shape, std::size_t begin, std::size_t length,
                      std::vector<QueryBlock>& blocks, std::size_t first = 0);

/// Memory of one thread, of attention_scratch_bytes() at most.
struct AttentionScratch {
  linalg::AlignedVector<float> scores, sums;  // [rows, keys], [rows, head_dim]
  linalg::Matrix weights;                     // [rows, keys]
  std::vector<float> largest, total;          // of each row so far
};
std::size_t attention_scratch_bytes(const AttentionShape& shape);

/// Writes softmax(q k^T / sqrt(head_dim)) v of the block to `out` [n_tokens, n_heads * head_dim].
/// By the calling thread alone, in an item of parallel_for.
void attend_block(const AttentionShape& shape, const Heads& heads, const QueryBlock& block,
                  AttentionScratch& scratch, linalg::Matrix& out);

}  // namespace lq::forward
