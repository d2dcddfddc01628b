#include "common/io/atomic_file.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>
#include <utility>

#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/list_directory.h"
#include "common/io/output_error.h"

namespace lq::io {
namespace {

std::string writing(const std::filesystem::path& path) {
  return fmt::format("cannot write {}", base::shown(path));
}

std::string temporary_prefix(const std::filesystem::path& path) {
  return fmt::format(".{}.lq-tmp.", path.filename().string());
}

// A number that names no other temporary: random, and where the system gives nothing random at
// least another one for each call and each process.
std::uint64_t fresh_number() {
  static std::atomic<std::uint32_t> calls = 0;
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) random = 0;
  return random ^ (static_cast<std::uint64_t>(::getpid()) << 32U | calls++);
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  constexpr int kTries = 1000;
  for (int tries = 0; tries < kTries; ++tries) {
    temporary_ =
        directory_of(path_) / (temporary_prefix(path_) + fmt::format("{:016x}", fresh_number()));
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ >= 0 || errno != EEXIST) break;
  }
  if (fd_ < 0) throw output_error(writing(path_), errno, path_);
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw output_error(writing(path_), errno, path_);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) throw output_error(writing(path_), errno, path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw output_error(writing(path_), errno, path_);
  }
  const int closed = ::close(std::exchange(fd_, -1));
  if (closed != 0) throw output_error(writing(path_), errno, path_);
  sync_directory(directory_of(path_));
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void remove_stale_temporaries(const std::filesystem::path& path) {
  std::error_code ignored;
  for (const auto& entry : list_directory(directory_of(path), ignored)) {
    const std::string name = entry.filename().string();
    if (name.starts_with(fmt::format(".{}.", path.filename().string())) &&
        name.find(".lq-tmp.") != std::string::npos) {
      std::filesystem::remove(entry, ignored);
    }
  }
}

}  // namespace lq::io
