#pragma once
// The output matrix over normalised hidden states (Site::kHeadIn): logits, and what the tokens that
// came cost. The matrix is read in blocks of its rows and logits are made block by block, so that
// memory does not grow with the vocabulary times the batch. Results do not depend on the number of
// threads.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/forward/weights.h"
#include "common/linalg/matrix.h"

namespace lq::forward {

/// The logits of some rows of x [n_tokens, hidden]: [rows, vocabulary]. Throws as
/// WeightSource::read.
std::vector<float> logits_of(const WeightSource& weights, const linalg::Matrix& x,
                             std::span<const std::size_t> rows, int n_threads);

/// Which token follows each one in its window; -1 behind the last. `lengths`: of the windows.
std::vector<std::int32_t> next_tokens(std::span<const std::size_t> lengths,
                                      std::span<const std::int32_t> ids);

/// -ln p(next) for each row of x [n_tokens, hidden] that has a next token, in order: n_tokens less
/// the windows. REQUIRES: next.size() == x.rows(), ids below the vocabulary's size. Throws as
/// WeightSource::read.
std::vector<double> token_losses(const WeightSource& weights, const linalg::Matrix& x,
                                 std::span<const std::int32_t> next, int n_threads);

}  // namespace lq::forward
