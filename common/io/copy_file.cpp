#include "common/io/copy_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <linux/fs.h>
#include <span>
#include <sys/ioctl.h>
#include <unistd.h>
#include <vector>

#include "common/base/text.h"
#include "common/io/input_file.h"
#include "common/io/output_error.h"
#include "common/io/output_file.h"

namespace lq::io {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{4} << 20;

bool clone(const fs::path& from, const fs::path& to) {
  const int source = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (source < 0) return false;
  const int target = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  const bool cloned = target >= 0 && ::ioctl(target, FICLONE, source) == 0;
  if (target >= 0) ::close(target);
  ::close(source);
  return cloned;
}

bool link(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  return !error;
}

/// Opened for reading, as a link may have the mode of a file that is not to be written.
void sync(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const int failed = fd < 0 || ::fdatasync(fd) != 0 ? errno : 0;
  if (fd >= 0) ::close(fd);
  if (failed != 0) throw output_error("cannot write " + base::shown(file), failed, file);
}

void copy_bytes(const InputFile& from, OutputFile to, const std::function<void()>& keep_going) {
  to.allocate(from.size());
  std::vector<std::byte> buffer(std::min<std::uint64_t>(kPiece, from.size()));
  for (std::uint64_t at = 0; at < from.size(); at += buffer.size()) {
    if (keep_going) keep_going();
    const auto piece =
        std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), from.size() - at));
    from.read_at(at, piece);
    to.write_at(at, piece);
    to.sync();  // one sync at the end could take minutes, and nothing interrupts it
  }
}

}  // namespace

void copy_file(const fs::path& from, const fs::path& to, CopyMethod method,
               const std::function<void()>& keep_going) {
  const InputFile input(from);
  std::error_code error;
  fs::remove(to, error);
  if (clone(from, to)) return sync(to);
  fs::remove(to, error);
  if (method == CopyMethod::kLink && link(from, to)) return sync(to);
  try {
    copy_bytes(input, OutputFile(to), keep_going);
  } catch (...) {
    fs::remove(to, error);
    throw;
  }
}

}  // namespace lq::io
