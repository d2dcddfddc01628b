#pragma once
// A file opened for positioned reads. Nothing is mapped and nothing is read whole.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace lq::io {

/// Thread rule: read_at may be called from several threads at once.
class InputFile {
 public:
  /// Throws ModelNotFoundError (missing, unreadable, directory), ValidationError (pipe, device).
  explicit InputFile(std::filesystem::path path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  InputFile& operator=(InputFile&&) = delete;

  /// Fills `out` from `offset`. Throws ValidationError when the file ends before that (path and
  /// offset named).
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  std::int64_t mtime_ns() const { return mtime_ns_; }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t mtime_ns_ = 0;
};

/// The whole of an opened file. Throws ValidationError above `max_bytes`.
std::string read_text(const InputFile& file, std::uint64_t max_bytes);
/// The whole of a small file (configuration, tokenizer). Throws ModelNotFoundError; ValidationError
/// above `max_bytes`.
std::string read_text_file(const std::filesystem::path& path,
                           std::uint64_t max_bytes = std::uint64_t{512} << 20);

}  // namespace lq::io
