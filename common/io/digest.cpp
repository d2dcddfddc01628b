#include "common/io/digest.h"

#include <array>
#include <fmt/format.h>
#include <new>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "common/base/errors.h"

namespace lq::io {
namespace {

void require(int result) {
  if (result == 1) return;
  std::array<char, 256> reason = {};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  throw base::ConversionError("cannot compute a hash",
                              fmt::format("OpenSSL says {}", reason.data()),
                              "let OpenSSL offer SHA-1 and SHA-256: see its openssl.cnf, which "
                              "OPENSSL_CONF can name");
}

}  // namespace

struct Digest::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  Context() {
    if (md == nullptr) throw std::bad_alloc();
  }
  ~Context() { EVP_MD_CTX_free(md); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Digest::Digest(Algorithm algorithm) : context_(std::make_unique<Context>()) {
  const EVP_MD* const md = algorithm == Algorithm::kSha1 ? EVP_sha1() : EVP_sha256();
  require(EVP_DigestInit_ex(context_->md, md, nullptr));
}

Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()));
}

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(context_->md, digest.data(), &size));
  std::string text;
  for (const unsigned char byte : std::span(digest).first(size)) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Digest hash(Digest::Algorithm::kSha256);
  hash.update(bytes);
  return hash.hex();
}

}  // namespace lq::io
