#pragma once
// A set of byte positions of a file, kept as ranges.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace lq::net {

/// Bytes [begin, end).
struct Extent {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t size() const { return end - begin; }
  bool operator==(const Extent&) const = default;
};

class ByteRanges {
 public:
  /// Overlaps and neighbours become one range.
  void add(Extent extent);
  void clear() { ranges_.clear(); }
  std::uint64_t total() const;
  /// How far it goes without a gap from 0.
  std::uint64_t prefix() const;
  /// In order.
  std::vector<Extent> ranges() const;
  /// The first bytes of [0, size) that are not in it, up to the next multiple of `piece`.
  std::optional<Extent> first_missing(std::uint64_t size, std::uint64_t piece) const;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // begin to end
};

}  // namespace lq::net
