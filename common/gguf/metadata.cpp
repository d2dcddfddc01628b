#include "common/gguf/metadata.h"

namespace lq::gguf {

void Metadata::set(std::string key, Value value) {
  const auto [place, is_new] = places_.try_emplace(key, entries_.size());
  if (is_new) {
    entries_.emplace_back(std::move(key), std::move(value));
  } else {
    entries_[place->second].second = std::move(value);
  }
}

bool Metadata::erase(std::string_view key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return false;
  const std::size_t erased = place->second;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(erased));
  places_.erase(place);
  for (auto& [other, position] : places_) position -= position > erased ? 1 : 0;
  return true;
}

const Value* Metadata::find(std::string_view key) const {
  const auto place = places_.find(key);
  return place == places_.end() ? nullptr : &entries_[place->second].second;
}

}  // namespace lq::gguf
