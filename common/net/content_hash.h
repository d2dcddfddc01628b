#pragma once
// Whether bytes are the content of a repository's file.

#include <cstddef>
#include <memory>
#include <span>

#include "common/io/digest.h"
#include "common/net/repo_files.h"

namespace lq::net {

/// SHA-256 of an LFS file; git's name of the blob (SHA-1 over "blob <size>\0" and the content) of
/// any other. Where the endpoint tells no hash, everything of the right size is taken.
class ContentHash {
 public:
  explicit ContentHash(const RepoFile& file);
  void update(std::span<const std::byte> bytes);
  /// REQUIRES: called once, last.
  bool is_right();

 private:
  const std::string expected_;
  io::Digest digest_;
};

}  // namespace lq::net
