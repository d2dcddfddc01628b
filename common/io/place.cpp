#include "common/io/place.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "common/io/file_status.h"

namespace lq::io {

std::filesystem::path nearest_existing(std::filesystem::path path) {
  while (!file_status(path) && path.has_relative_path()) path = directory_of(path);
  return path;
}

int write_problem(const std::filesystem::path& path) {
  const std::filesystem::path place = nearest_existing(path);
  return ::faccessat(AT_FDCWD, place.c_str(), W_OK, AT_EACCESS) == 0 ? 0 : errno;
}

}  // namespace lq::io
