#include "common/calibration/lanes.h"

#include <algorithm>
#include <cassert>

namespace lq::calibration {
namespace {

void append_window(std::span<const std::int32_t> ids, Lane& lane) {
  const std::size_t n = lane.batches.empty() ? 0 : lane.batches.back().windows.n_tokens();
  if (lane.batches.empty() || n + ids.size() > kBatchTokens) {
    lane.batches.push_back({lane.ids.size(), {}});
  }
  lane.batches.back().windows.lengths.push_back(ids.size());
  lane.ids.insert(lane.ids.end(), ids.begin(), ids.end());
}

}  // namespace

std::vector<Lane> deal_lanes(std::span<const std::int32_t> ids,
                             std::span<const std::int64_t> offsets, std::size_t n_lanes) {
  assert(n_lanes > 0 && !offsets.empty());
  std::vector<Lane> lanes(n_lanes);
  for (std::size_t window = 0; window + 1 < offsets.size(); ++window) {
    const auto begin = static_cast<std::size_t>(offsets[window]);
    const auto end = static_cast<std::size_t>(offsets[window + 1]);
    append_window(ids.subspan(begin, end - begin), lanes[window % n_lanes]);
  }
  return lanes;
}

std::size_t largest_batch(std::span<const Lane> lanes) {
  std::size_t largest = 0;
  for (const Lane& lane : lanes) {
    for (const Batch& batch : lane.batches) largest = std::max(largest, batch.windows.n_tokens());
  }
  return largest;
}

LaneRange lanes_of_shard(std::size_t n_lanes, int index, int count) {
  const auto n = static_cast<std::size_t>(count), k = static_cast<std::size_t>(index);
  assert(k >= 1 && k <= n && n <= n_lanes);
  return {(k - 1) * n_lanes / n, k * n_lanes / n};
}

}  // namespace lq::calibration
