#pragma once
// Hashes of whole files that lie on disk, each computed once in a run: a result is looked at before
// the lock, under it and before it is replaced, and hashing a large one takes minutes.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace lq::stage {

class KnownHashes {
 public:
  /// `keep_going` is called at least once for each MiB that is hashed, and may throw.
  explicit KnownHashes(std::function<void()> keep_going) : keep_going_(std::move(keep_going)) {}

  /// SHA-256 in hex; of a file whose inode, size and time are as before, what it was before. Throws
  /// ModelNotFoundError or ValidationError when it cannot be read, and what `keep_going` throws.
  std::string of_file(const std::filesystem::path& path);

 private:
  // path, device, inode, size, modification time
  using Identity =
      std::tuple<std::filesystem::path, std::uint64_t, std::uint64_t, std::uint64_t, std::int64_t>;

  std::function<void()> keep_going_;
  std::map<Identity, std::string> known_;
};

}  // namespace lq::stage
