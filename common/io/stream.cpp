#include "common/io/stream.h"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <unistd.h>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::io {

std::string read_stream(int fd, std::uint64_t max_bytes, const std::string& subject,
                        const std::string& fix) {
  std::string text;
  std::array<char, 65536> block{};
  while (true) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw base::ModelNotFoundError(subject, base::errno_text(errno), fix);
    if (got == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      throw base::ValidationError(
          subject, fmt::format("more than {} come from it", base::format_bytes(max_bytes)), fix);
    }
  }
}

}  // namespace lq::io
