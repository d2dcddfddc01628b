#pragma once
// Numbers by string, looked up for every beginning of a text at once.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/text/pair_index.h"

namespace lq::text {

/// Thread rule: const members may be called from several threads while nobody inserts.
class PrefixTrie {
 public:
  static constexpr std::uint32_t kRoot = 0, kNone = 0xFFFFFFFF;

  /// `replaces`: whether a string that is there gets the new number.
  void insert(std::string_view key, std::uint32_t value, bool replaces) {
    std::uint32_t node = kRoot;
    for (const char byte : key) {
      std::uint32_t& next = edges_.at(node, static_cast<unsigned char>(byte));
      if (next == 0) {
        next = static_cast<std::uint32_t>(values_.size());
        values_.push_back(kNone);
      }
      node = next;
    }
    if (values_[node] == kNone || replaces) values_[node] = value;
  }

  /// The node that `byte` leads to; kNone when there is none.
  std::uint32_t next(std::uint32_t node, char byte) const {
    const std::uint32_t* found = edges_.find(node, static_cast<unsigned char>(byte));
    return found == nullptr ? kNone : *found;
  }
  /// The number of the string that ends at a node; kNone when none does.
  std::uint32_t value(std::uint32_t node) const { return values_[node]; }

 private:
  PairIndex<std::uint32_t> edges_;
  std::vector<std::uint32_t> values_ = {kNone};
};

}  // namespace lq::text
