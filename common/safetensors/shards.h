#pragma once
// How a checkpoint is cut into files: the rule of the reference writer.

#include <cstdint>
#include <vector>

#include "common/safetensors/layout.h"

namespace lq::safetensors {

inline constexpr std::uint64_t kShardBytes = 5'000'000'000;

/// Tensors in the given order; a new shard begins where the next tensor would pass `max_bytes`, and
/// a tensor above it stands alone.
std::vector<std::vector<TensorSpec>> into_shards(const std::vector<TensorSpec>& tensors,
                                                 std::uint64_t max_bytes = kShardBytes);

}  // namespace lq::safetensors
