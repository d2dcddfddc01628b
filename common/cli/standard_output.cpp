#include "common/cli/standard_output.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::cli {
namespace {

[[noreturn]] void fail(int error_number) {
  if (error_number == EPIPE) throw ReaderGone{};
  throw base::OutputError(
      "cannot write the result to standard output", base::errno_text(error_number),
      "check where standard output goes; a result that was made is in its place");
}

}  // namespace

bool keep_standard_descriptors() {
  bool output_closed = false;
  for (const int fd : std::array{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    if (fd == STDOUT_FILENO) output_closed = true;
    // The lowest free number is this one.
    [[maybe_unused]] const int opened = ::open("/dev/null", O_RDWR);
  }
  return output_closed;
}

void write_result(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  // Network filesystems report a full disk when a descriptor is closed, whichever it is.
  const int copy = ::dup(fd);
  if (copy < 0 || ::close(copy) != 0) fail(errno);
}

}  // namespace lq::cli
