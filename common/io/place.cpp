#include "common/io/place.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/io/file_status.h"

namespace lq::io {

std::filesystem::path nearest_existing(std::filesystem::path path) {
  while (!file_status(path) && path.has_relative_path()) path = directory_of(path);
  return path;
}

bool is_writable(const std::filesystem::path& path) {
  return ::faccessat(AT_FDCWD, nearest_existing(path).c_str(), W_OK, AT_EACCESS) == 0;
}

}  // namespace lq::io
