#include "common/net/byte_ranges.h"

#include <algorithm>

namespace lq::net {

void ByteRanges::add(Extent extent) {
  if (extent.begin >= extent.end) return;
  auto next = ranges_.upper_bound(extent.begin);
  if (next != ranges_.begin()) {
    const auto before = std::prev(next);
    if (before->second >= extent.begin) {
      extent.begin = before->first;
      extent.end = std::max(extent.end, before->second);
      next = ranges_.erase(before);
    }
  }
  while (next != ranges_.end() && next->first <= extent.end) {
    extent.end = std::max(extent.end, next->second);
    next = ranges_.erase(next);
  }
  ranges_[extent.begin] = extent.end;
}

std::uint64_t ByteRanges::total() const {
  std::uint64_t sum = 0;
  for (const auto& [begin, end] : ranges_) sum += end - begin;
  return sum;
}

std::uint64_t ByteRanges::prefix() const {
  const auto first = ranges_.find(0);
  return first == ranges_.end() ? 0 : first->second;
}

std::vector<Extent> ByteRanges::ranges() const {
  std::vector<Extent> all;
  for (const auto& [begin, end] : ranges_) all.push_back({begin, end});
  return all;
}

std::optional<Extent> ByteRanges::first_missing(std::uint64_t size, std::uint64_t piece) const {
  const std::uint64_t begin = prefix();
  if (begin >= size) return {};
  const auto next = ranges_.upper_bound(begin);
  const std::uint64_t gap_end = next == ranges_.end() ? size : std::min(next->first, size);
  return Extent{begin, std::min(gap_end, (begin / piece + 1) * piece)};
}

}  // namespace lq::net
