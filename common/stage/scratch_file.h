#pragma once
// Files that only an unfinished run needs, each complete in itself: whoever finds one can tell
// whether it is what it stands for and undamaged.
//
//   content
//   8 bytes   "lqscrat1"
//   32 bytes  what it stands for: the beginning of the SHA-256 of its tag, in hex
//   32 bytes  XXH3 of the content, in hex

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "common/io/input_file.h"
#include "common/io/output_file.h"
#include "common/io/xxh3.h"

namespace lq::stage {

/// Writes one under a temporary name of its own. It survives a kill of the process; a power cut may
/// damage it, which its reader sees.
class ScratchWriter {
 public:
  /// `tag` names the run and the content. Throws OutputError.
  ScratchWriter(std::filesystem::path path, const std::string& tag);
  /// Without finish() nothing is left.
  ~ScratchWriter();
  ScratchWriter(const ScratchWriter&) = delete;
  ScratchWriter& operator=(const ScratchWriter&) = delete;

  void write(std::span<const std::byte> bytes);
  /// The file is there when this returned. REQUIRES: called once, last.
  void finish();

 private:
  std::filesystem::path path_;
  std::string tag_hash_;
  std::optional<io::OutputFile> file_;
  io::Xxh3 hash_;
  std::uint64_t size_ = 0;
};

/// Removes what killed writers left below the folder. REQUIRES: nobody writes there.
void remove_scratch_temporaries(const std::filesystem::path& folder);

inline constexpr std::size_t kScratchTrailerBytes = 8 + 2 * 32;
/// What follows the content of such a file, for those that the frame writes.
std::string scratch_trailer(std::span<const std::byte> content, const std::string& tag);

/// Thread rule: read_at may be called from several threads at once.
class ScratchReader {
 public:
  /// Empty when there is no such file, it stands for something else or, having been read to its end
  /// for that, is damaged.
  static std::optional<ScratchReader> open(const std::filesystem::path& path,
                                           const std::string& tag);

  std::uint64_t size() const { return size_; }
  /// REQUIRES: inside the content.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const { file_.read_at(offset, out); }

 private:
  ScratchReader(io::InputFile file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

  io::InputFile file_;
  std::uint64_t size_;
};

}  // namespace lq::stage
