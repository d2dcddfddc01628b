#pragma once
// Values by a pair of numbers: the merges of BPE by the ids of their sides, the edges of a trie by
// node and byte. A hash table with open addressing that is only ever added to.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lq::text {

/// Thread rule: find() may be called from several threads while nobody inserts.
template <class Value>
class PairIndex {
 public:
  /// The value of the pair, made anew (zero) when it is not there.
  Value& at(std::uint32_t left, std::uint32_t right) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    Slot& slot = slots_[place(left, right)];
    if (!slot.taken) {
      slot = {left, right, Value{}, true};
      ++size_;
    }
    return slot.value;
  }

  /// Null when the pair is not there.
  const Value* find(std::uint32_t left, std::uint32_t right) const {
    if (slots_.empty()) return nullptr;
    const Slot& slot = slots_[place(left, right)];
    return slot.taken ? &slot.value : nullptr;
  }

 private:
  struct Slot {
    std::uint32_t left = 0, right = 0;
    Value value{};
    bool taken = false;
  };

  std::size_t place(std::uint32_t left, std::uint32_t right) const {
    const std::uint64_t key = std::uint64_t{left} << 32U | right;
    const std::size_t mask = slots_.size() - 1;
    // Fibonacci hashing: the upper bits of the product are well mixed.
    std::size_t at = (key * 0x9E3779B97F4A7C15U >> 20U) & mask;
    while (slots_[at].taken && (slots_[at].left != left || slots_[at].right != right)) {
      at = (at + 1) & mask;
    }
    return at;
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.taken) slots_[place(slot.left, slot.right)] = slot;
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, at most half taken
  std::size_t size_ = 0;
};

}  // namespace lq::text
