#pragma once
// How a row of an architecture's table stands in a GGUF: under which name, and its rows in which
// order. The conversion goes one way, whoever runs such a file the other.

#include <cstdint>
#include <string>

#include "common/model/architecture.h"

namespace lq::model {

/// "blk.0.attn_q.weight"; `layer` counts only where the row has one tensor per layer.
std::string gguf_name(const TensorRow& row, int layer, bool is_bias);

/// How many heads the rows of the tensor are interleaved in (ValueTransform); 0: they stand as in
/// the checkpoint.
int interleaved_heads(const TensorRow& row, const ModelConfig& config);

/// Of `n_rows` rows interleaved in `heads` heads: the row of the checkpoint that row `row` of the
/// GGUF is, and the reverse. With hd rows in a head, row h*hd + 2*j + t is the checkpoint's
/// h*hd + t*hd/2 + j. REQUIRES: row < n_rows, an even number of rows in each head.
std::uint64_t checkpoint_row(std::uint64_t row, std::uint64_t n_rows, int heads);
std::uint64_t gguf_row(std::uint64_t row, std::uint64_t n_rows, int heads);

}  // namespace lq::model
