#pragma once
// Causal attention with grouped queries, within each window.

#include <cstddef>
#include <span>

#include "common/linalg/matrix.h"

namespace lq::forward {

struct AttentionShape {
  std::size_t n_heads = 0, n_kv_heads = 0, head_dim = 0;
  std::size_t sliding_window = 0;  // positions back, itself counted; 0: all
};

/// One window and one key-value head with the query heads that share it. `q` is [n_tokens * group,
/// head_dim], the heads of the group next to each other for each token; `k` is [n_tokens,
/// head_dim]; `v_transposed` is [head_dim, n_tokens]. Writes softmax(q k^T / sqrt(head_dim)) v to
/// `out`, laid out as q.
void attend_head(const AttentionShape& shape, const linalg::Matrix& q, const linalg::Matrix& k,
                 const linalg::Matrix& v_transposed, std::span<float> out);

}  // namespace lq::forward
