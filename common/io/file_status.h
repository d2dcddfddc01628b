#pragma once
// Questions to the file system: what is at a path, how much room is there, are two paths the same
// file.

#include <cstdint>
#include <filesystem>
#include <optional>

namespace lq::io {

struct FileStatus {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint64_t device = 0, inode = 0;
  std::uint64_t allocated_bytes = 0;  // what it takes on the disk
  bool is_regular = false, is_directory = false;
};

/// Follows links; empty when nothing is there or it cannot be looked at.
std::optional<FileStatus> file_status(const std::filesystem::path& path);
std::optional<FileStatus> file_status(int fd);

/// The directory that holds `path`: "." for a bare name.
std::filesystem::path directory_of(const std::filesystem::path& path);

/// Bytes that an unprivileged writer may still use on the file system of `directory`; empty when it
/// does not tell.
std::optional<std::uint64_t> free_space(const std::filesystem::path& directory);

/// Device and inode are equal. False when one does not exist.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);
/// `path` (which need not exist) is `directory` or lies below it, links resolved.
bool is_inside(const std::filesystem::path& path, const std::filesystem::path& directory);

/// Makes renames and new names in the directory survive a power cut. Throws OutputError.
void sync_directory(const std::filesystem::path& directory);

/// Sets the modification time (nanoseconds since 1970). Throws OutputError.
void set_mtime(const std::filesystem::path& path, std::int64_t mtime_ns);

}  // namespace lq::io
