#pragma once
// SHA-256 through OpenSSL.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lq::io {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
  /// Lower-case hex of everything so far. REQUIRES: called once, last.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace lq::io
