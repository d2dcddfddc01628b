#include "common/io/xxh3.h"

#include <fmt/format.h>
#include <new>
#include <xxhash.h>

namespace lq::io {
namespace {

std::string hex_of(const XXH128_hash_t& hash) {
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

struct Xxh3::State {
  XXH3_state_t* state = XXH3_createState();
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) {
  if (state_->state == nullptr) throw std::bad_alloc();
  XXH3_128bits_reset(state_->state);
}

Xxh3::~Xxh3() { XXH3_freeState(state_->state); }

void Xxh3::update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(state_->state, bytes.data(), bytes.size());
}

std::string Xxh3::hex() const { return hex_of(XXH3_128bits_digest(state_->state)); }

std::string xxh3_hex(std::span<const std::byte> bytes) {
  return hex_of(XXH3_128bits(bytes.data(), bytes.size()));
}

}  // namespace lq::io
