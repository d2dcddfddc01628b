#include "common/io/file_status.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/output_error.h"

namespace lq::io {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

FileStatus from(const struct stat& status) {
  return {.size = static_cast<std::uint64_t>(status.st_size),
          .mtime_ns = status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec,
          .device = status.st_dev,
          .inode = status.st_ino,
          .allocated_bytes = static_cast<std::uint64_t>(status.st_blocks) * 512,
          .is_regular = S_ISREG(status.st_mode),
          .is_directory = S_ISDIR(status.st_mode)};
}

}  // namespace

std::optional<FileStatus> file_status(const std::filesystem::path& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return from(status);
}

std::optional<FileStatus> file_status(int fd) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return std::nullopt;
  return from(status);
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

std::optional<std::uint64_t> free_space(const std::filesystem::path& directory) {
  struct statvfs status = {};
  if (::statvfs(directory.c_str(), &status) != 0 || status.f_blocks == 0) return std::nullopt;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto first = file_status(a);
  const auto second = file_status(b);
  return first && second && first->device == second->device && first->inode == second->inode;
}

bool is_inside(const std::filesystem::path& path, const std::filesystem::path& directory) {
  std::error_code ignored;
  // Of a relative path whose first part is not there, weakly_canonical would not tell the place.
  const auto place = [&ignored](const std::filesystem::path& of) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(of), ignored);
  };
  const auto inner = place(path), outer = place(directory);
  const auto [outer_end, inner_end] = std::ranges::mismatch(outer, inner);
  // A trailing slash leaves one empty component.
  return outer_end == outer.end() || outer_end->empty();
}

void sync_directory(const std::filesystem::path& directory) {
  const std::string what = fmt::format("cannot sync {}", base::shown(directory));
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw output_error(what, errno, directory);
  // Some network file systems cannot sync a directory and say EINVAL; there is nothing to wait for
  // then.
  const int error_number = ::fsync(fd) != 0 && errno != EINVAL ? errno : 0;
  ::close(fd);
  if (error_number != 0) throw output_error(what, error_number, directory);
}

void set_mtime(const std::filesystem::path& path, std::int64_t mtime_ns) {
  const struct timespec times[2] = {{0, UTIME_OMIT}, {mtime_ns / kSecond, mtime_ns % kSecond}};
  if (::utimensat(AT_FDCWD, path.c_str(), times, 0) != 0) {
    throw output_error(fmt::format("cannot set the time of {}", base::shown(path)), errno, path);
  }
}

}  // namespace lq::io
