#pragma once
// How the windows of a calibration are dealt to lanes, and a lane to batches. Sums are made lane by
// lane, and the lanes added in order at the end, so that lanes can be worked on by different
// machines and the result is the same.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/forward/layer_pass.h"

namespace lq::calibration {

/// Tokens that pass through a layer together, if windows are not longer.
inline constexpr std::size_t kBatchTokens = 2048;

/// Whole windows of a lane, one after the other.
struct Batch {
  std::size_t first_token = 0;  // in the lane
  forward::Windows windows;
};

struct Lane {
  std::vector<std::int32_t> ids;
  std::vector<Batch> batches;

  std::size_t n_tokens() const { return ids.size(); }
};

/// Window i goes to lane i mod n_lanes. `offsets` has where each window begins in `ids`, and the
/// end. A lane may get none.
std::vector<Lane> deal_lanes(std::span<const std::int32_t> ids,
                             std::span<const std::int64_t> offsets, std::size_t n_lanes);

/// The most tokens that one batch has.
std::size_t largest_batch(std::span<const Lane> lanes);

/// Lanes of shard `index` of `count` (from 1): [first, end). REQUIRES: count <= n_lanes.
struct LaneRange {
  std::size_t first = 0, end = 0;
};
LaneRange lanes_of_shard(std::size_t n_lanes, int index, int count);

}  // namespace lq::calibration
