#include "common/net/content_hash.h"

#include <fmt/format.h>
#include <string>

namespace lq::net {
namespace {

io::Digest digest_for(const RepoFile& file) {
  if (file.in_lfs()) return io::Digest(io::Digest::Algorithm::kSha256);
  io::Digest blob(io::Digest::Algorithm::kSha1);
  blob.update(fmt::format("blob {}", file.size));
  blob.update(std::string_view("\0", 1));
  return blob;
}

}  // namespace

ContentHash::ContentHash(const RepoFile& file)
    : expected_(file.etag()), digest_(digest_for(file)) {}

void ContentHash::update(std::span<const std::byte> bytes) { digest_.update(bytes); }

bool ContentHash::is_right() { return expected_.empty() || digest_.hex() == expected_; }

}  // namespace lq::net
