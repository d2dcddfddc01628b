#include "common/stage/known_hashes.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "common/io/digest.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"

namespace lq::stage {

std::string KnownHashes::of_file(const std::filesystem::path& path) {
  const io::FileStatus status = io::file_status(path).value_or(io::FileStatus{});
  const Identity identity{path, status.device, status.inode, status.size, status.mtime_ns};
  const auto found = known_.find(identity);
  if (found != known_.end()) return found->second;
  const io::InputFile file(path);
  std::vector<std::byte> block(std::size_t{1} << 20);
  io::Digest hash(io::Digest::Algorithm::kSha256);
  for (std::uint64_t done = 0; done < file.size();) {
    keep_going_();
    const auto piece =
        std::span(block).first(std::min<std::uint64_t>(block.size(), file.size() - done));
    file.read_at(done, piece);
    hash.update(piece);
    done += piece.size();
  }
  return known_[identity] = hash.hex();
}

}  // namespace lq::stage
