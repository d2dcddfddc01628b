#pragma once
// A small file written in one go: it appears complete under its name, or not at all.
//
// The bytes go to `.<name>.lq-tmp.<random>` in the same directory; commit() syncs that file,
// renames it over the target and syncs the directory. Without commit() the temporary is removed.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace lq::io {

class AtomicFile {
 public:
  /// Throws OutputError when the directory cannot be written.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Only when this returned is the file there. Throws OutputError. REQUIRES: called once, last.
  void commit();

  const std::filesystem::path& temporary() const { return temporary_; }

 private:
  std::filesystem::path path_, temporary_;
  int fd_ = -1;
};

void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// Removes temporaries that dead runs left for `path` and for names that continue it after a dot
/// (its shards). REQUIRES: no other process is writing those files.
void remove_stale_temporaries(const std::filesystem::path& path);

}  // namespace lq::io
