#pragma once
// Numbers by string: a hash table with open addressing and its strings in one block of memory, for
// vocabularies of some hundred thousand entries that are looked up for every word of a text.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lq::text {

/// Thread rule: find() may be called from several threads while nobody inserts.
class StringIndex {
 public:
  /// A string that is there gets the new number.
  void insert(std::string_view key, std::uint32_t value);
  std::optional<std::uint32_t> find(std::string_view key) const;
  std::size_t size() const { return size_; }
  /// Bytes of all strings.
  std::size_t key_bytes() const { return keys_.size(); }
  void clear();

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::size_t begin = 0;
    std::uint32_t n_bytes = 0, value = 0;
    bool taken = false;
  };
  Slot& slot_of(std::uint64_t hash, std::string_view key);
  bool holds(const Slot& slot, std::uint64_t hash, std::string_view key) const;
  void grow();

  std::vector<Slot> slots_;  // a power of two of them, at most half taken
  std::string keys_;
  std::size_t size_ = 0;
};

}  // namespace lq::text
