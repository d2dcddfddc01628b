#include "common/io/list_directory.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <string_view>

namespace lq::io {

std::vector<std::filesystem::path> list_directory(const std::filesystem::path& directory,
                                                  std::error_code& error) {
  std::vector<std::filesystem::path> found;
  error.clear();
  DIR* const opened = ::opendir(directory.c_str());
  if (opened == nullptr) {
    error.assign(errno, std::generic_category());
    return found;
  }
  while (true) {
    errno = 0;  // the end of the directory and an error look the same otherwise
    const struct dirent* const entry = ::readdir(opened);
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") found.push_back(directory / name);
  }
  if (errno != 0) error.assign(errno, std::generic_category());
  ::closedir(opened);
  std::ranges::sort(found);
  return found;
}

}  // namespace lq::io
