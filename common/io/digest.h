#pragma once
// SHA-1 (git's names of blobs) and SHA-256 through OpenSSL.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace lq::io {

class Digest {
 public:
  /// kSha1 only for names that others chose: it does not tell forged contents apart.
  enum class Algorithm { kSha1, kSha256 };

  /// Throws ConversionError where this OpenSSL has been set up without the algorithm.
  explicit Digest(Algorithm algorithm);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

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
