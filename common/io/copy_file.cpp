#include "common/io/copy_file.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/output_error.h"

namespace lq::io {
namespace {

bool clone(const std::filesystem::path& from, const std::filesystem::path& to) {
  const int source = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (source < 0) return false;
  const int target = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  const bool cloned = target >= 0 && ::ioctl(target, FICLONE, source) == 0;
  if (target >= 0) ::close(target);
  ::close(source);
  return cloned;
}

}  // namespace

void copy_file(const std::filesystem::path& from, const std::filesystem::path& to,
               CopyMethod method) {
  std::error_code error;
  std::filesystem::remove(to, error);
  if (clone(from, to)) return;
  std::filesystem::remove(to, error);
  if (method == CopyMethod::kLink) {
    std::filesystem::create_hard_link(from, to, error);
    if (!error) return;
  }
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, error);
  if (error) {
    throw output_error("cannot copy " + base::shown(from) + " to " + base::shown(to), error.value(),
                       to);
  }
}

}  // namespace lq::io
