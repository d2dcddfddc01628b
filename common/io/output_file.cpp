#include "common/io/output_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"

namespace lq::io {
namespace {

// Linux moves at most 0x7ffff000 bytes per call.
constexpr std::size_t kPiece = std::size_t{1} << 30;

}  // namespace

OutputFile::OutputFile(std::filesystem::path path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd_ < 0) fail("create", errno);
}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

void OutputFile::fail(const char* action, int error_number) const {
  throw output_error(fmt::format("cannot {} {}", action, base::shown(path_)), error_number, path_);
}

void OutputFile::allocate(std::uint64_t size) {
  const auto status = file_status(fd_);
  if (!status) fail("look at", errno);
  if (size > 0) {
    // Not posix_fallocate: where the file system cannot reserve, glibc reads and writes a byte of
    // every block instead, over what another shard writes there at the same time.
    int failed = 0;
    do {
      failed = ::fallocate(fd_, 0, 0, static_cast<off_t>(size));
    } while (failed != 0 && errno == EINTR);
    if (failed != 0 && errno != EOPNOTSUPP) {
      const int error_number = errno;
      fail(fmt::format("reserve {} for", base::format_bytes(size)).c_str(), error_number);
    }
  }
  if (status->size != size && ::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
    fail("resize", errno);
  }
}

void OutputFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(fd_, bytes.data(), std::min(bytes.size(), kPiece), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
}

void OutputFile::write_zeros(std::uint64_t offset, std::uint64_t size) {
  const std::vector<std::byte> zeros(std::min<std::uint64_t>(size, 1 << 20));
  while (size > 0) {
    const std::uint64_t piece = std::min<std::uint64_t>(size, zeros.size());
    write_at(offset, std::span(zeros).first(piece));
    offset += piece;
    size -= piece;
  }
}

void OutputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got =
        ::pread(fd_, out.data(), std::min(out.size(), kPiece), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read back", errno);
    if (got == 0) {
      std::memset(out.data(), 0, out.size());
      return;
    }
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

void OutputFile::sync() const {
  if (::fdatasync(fd_) != 0) fail("write", errno);
}

}  // namespace lq::io
