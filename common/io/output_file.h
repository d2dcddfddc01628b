#pragma once
// A file of known size that grows by positioned writes, and can be read back.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace lq::io {

/// Thread rule: write_at, read_at and sync may be called from several threads at once.
class OutputFile {
 public:
  /// Opens or creates it for reading and writing, never through a link. Throws OutputError.
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  OutputFile& operator=(OutputFile&&) = delete;

  /// Gives the file exactly this size, with all its disk space where the file system can reserve it
  /// (NFS before 4.2 cannot). New bytes are zero, those there before stay, also those that another
  /// process writes meanwhile, having called this with the same size. Throws OutputError.
  void allocate(std::uint64_t size);
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  void write_zeros(std::uint64_t offset, std::uint64_t size);
  /// Bytes past the end read as zero. Throws OutputError when the disk cannot read them.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;
  /// Returns when all bytes are on disk.
  void sync() const;

  const std::filesystem::path& path() const { return path_; }
  int fd() const { return fd_; }

 private:
  [[noreturn]] void fail(const char* action, int error_number) const;

  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace lq::io
