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
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text) { update(std::as_bytes(std::span(text))); }
  /// Lower-case hex of everything so far. REQUIRES: called once, last.
  std::string hex();

 protected:
  enum class Algorithm { kSha1, kSha256 };
  explicit Digest(Algorithm algorithm);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

class Sha256 : public Digest {
 public:
  Sha256() : Digest(Algorithm::kSha256) {}
};

/// Only for names that others chose: it does not tell forged contents apart.
class Sha1 : public Digest {
 public:
  Sha1() : Digest(Algorithm::kSha1) {}
};

std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace lq::io
