#include "common/io/input_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::io {
namespace {

[[noreturn]] void fail_open(const std::filesystem::path& path, int error_number) {
  throw base::ModelNotFoundError(fmt::format("cannot open {}", base::shown(path)),
                                 base::errno_text(error_number),
                                 "check the path and that you may read it");
}

const char* kind_of(mode_t mode) {
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "a socket or the like";
}

}  // namespace

InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
  // Without O_NONBLOCK a pipe that nobody writes to is waited for.
  fd_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd_ < 0) fail_open(path_, errno);
  struct stat status = {};
  int error_number = ::fstat(fd_, &status) != 0 ? errno : 0;
  if (error_number == 0 && S_ISDIR(status.st_mode)) error_number = EISDIR;
  if (error_number != 0) {
    ::close(fd_);
    fail_open(path_, error_number);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd_);
    throw base::ValidationError(
        fmt::format("cannot read {}", base::shown(path_)),
        fmt::format("it is {}; only a regular file will do", kind_of(status.st_mode)),
        "save it to a file first, and give the name of that file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  mtime_ns_ = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_),
      mtime_ns_(other.mtime_ns_) {}

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  // Linux moves at most 0x7ffff000 bytes per call; smaller pieces keep short reads ordinary.
  constexpr std::size_t kPiece = std::size_t{1} << 30;
  while (!out.empty()) {
    const ssize_t got =
        ::pread(fd_, out.data(), std::min(out.size(), kPiece), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      throw base::ValidationError(
          fmt::format("cannot read {} at byte {}", base::shown(path_), offset),
          base::errno_text(errno), "check the disk, then fetch or copy the file again");
    }
    if (got == 0) {
      throw base::ValidationError(
          fmt::format("cannot read {} at byte {}", base::shown(path_), offset),
          fmt::format("the file ends {} bytes too early", out.size()),
          "fetch or copy the file again");
    }
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

std::string read_text(const InputFile& file, std::uint64_t max_bytes) {
  if (file.size() > max_bytes) {
    throw base::ValidationError(
        fmt::format("cannot read {}", base::shown(file.path())),
        fmt::format("it has {}, more than the {} such a file may have",
                    base::format_bytes(file.size()), base::format_bytes(max_bytes)),
        "check that it is the right file");
  }
  std::string text(file.size(), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

std::string read_text_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  return read_text(InputFile(path), max_bytes);
}

}  // namespace lq::io
