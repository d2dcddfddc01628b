#include "common/text/string_index.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace lq::text {
namespace {

constexpr std::size_t kFewestSlots = 64;

std::uint64_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }

}  // namespace

bool StringIndex::holds(const Slot& slot, std::uint64_t hash, std::string_view key) const {
  return slot.hash == hash && slot.n_bytes == key.size() &&
         std::equal(key.begin(), key.end(),
                    keys_.begin() + static_cast<std::ptrdiff_t>(slot.begin));
}

StringIndex::Slot& StringIndex::slot_of(std::uint64_t hash, std::string_view key) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].taken && !holds(slots_[at], hash, key)) at = (at + 1) & mask;
  return slots_[at];
}

void StringIndex::grow() {
  std::vector<Slot> old(std::max(kFewestSlots, 2 * slots_.size()));
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (!slot.taken) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].taken) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

void StringIndex::insert(std::string_view key, std::uint32_t value) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  const std::uint64_t hash = hash_of(key);
  Slot& slot = slot_of(hash, key);
  if (!slot.taken) {
    slot = {hash, keys_.size(), static_cast<std::uint32_t>(key.size()), value, true};
    keys_ += key;
    ++size_;
  }
  slot.value = value;
}

std::optional<std::uint32_t> StringIndex::find(std::string_view key) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint64_t hash = hash_of(key);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].taken; at = (at + 1) & mask) {
    if (holds(slots_[at], hash, key)) return slots_[at].value;
  }
  return std::nullopt;
}

void StringIndex::clear() {
  std::ranges::fill(slots_, Slot{});
  keys_.clear();
  size_ = 0;
}

}  // namespace lq::text
