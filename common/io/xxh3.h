#pragma once
// XXH3 (128 bits) through libxxhash: tells bytes that were damaged by accident at the speed of
// memory. SHA-256 (sha256.h) is for what other programs and people compare.

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace lq::io {

class Xxh3 {
 public:
  Xxh3();
  ~Xxh3();
  Xxh3(const Xxh3&) = delete;
  Xxh3& operator=(const Xxh3&) = delete;

  void update(std::span<const std::byte> bytes);
  /// Lower-case hex of everything so far, the canonical (big-endian) form.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string xxh3_hex(std::span<const std::byte> bytes);

}  // namespace lq::io
