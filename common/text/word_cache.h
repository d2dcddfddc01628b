#pragma once
// The ids of words that were cut before: texts repeat their words, and a look-up is many times
// faster than cutting. Bounded; when it is full it is emptied.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/text/string_index.h"

namespace lq::text {

/// Thread rule: one thread at a time.
class WordCache {
 public:
  static constexpr std::size_t kLongestWord = 64;  // bytes

  std::optional<std::span<const std::uint32_t>> find(std::string_view word) const {
    if (word.size() > kLongestWord) return std::nullopt;
    const auto found = words_.find(word);
    if (!found) return std::nullopt;
    const Entry& entry = entries_[*found];
    return std::span(ids_).subspan(entry.begin, entry.n_ids);
  }

  /// REQUIRES: the word is not there. A long one is not kept.
  void insert(std::string_view word, std::span<const std::uint32_t> ids) {
    if (word.size() > kLongestWord) return;
    if (words_.size() == kMostWords) clear();
    words_.insert(word, static_cast<std::uint32_t>(entries_.size()));
    entries_.push_back({ids_.size(), ids.size()});
    ids_.insert(ids_.end(), ids.begin(), ids.end());
  }

 private:
  static constexpr std::size_t kMostWords = std::size_t{1} << 16;
  struct Entry {
    std::size_t begin, n_ids;
  };

  void clear() {
    words_.clear();
    entries_.clear();
    ids_.clear();
  }

  StringIndex words_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> ids_;
};

}  // namespace lq::text
