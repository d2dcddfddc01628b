#include "common/io/output_error.h"

#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <system_error>
#include <utility>

#include "common/base/text.h"

namespace lq::io {
namespace {

std::string fix_for(int error_number, const std::filesystem::path& path) {
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  const std::string directory = shell_quoted(parent);
  switch (error_number) {
    case ENOSPC:
      return fmt::format("free space there (df -h {}), or choose another place with -o", directory);
    case EDQUOT:
      return "free space within your quota (quota -s), or choose another place with -o";
    case EROFS:
      return "the file system is mounted read-only: choose another place with -o";
    case EACCES:
    case EPERM:
      return fmt::format("check who may write there (ls -ld {}), or choose another place with -o",
                         directory);
    case EFBIG:
      return "raise the limit (ulimit -f unlimited), or choose a file system that takes files of "
             "this size with -o";
    case EIO:
      return "check the disk (dmesg), then run the same command again";
    case ENOENT:
    case ENOTDIR:
      if (std::error_code ignored; std::filesystem::is_directory(parent, ignored)) {
        return "no files can be made in that directory: choose another place with -o";
      }
      return fmt::format("make the directory first: mkdir -p {}", directory);
    default:
      return "check the path, or choose another place with -o";
  }
}

}  // namespace

std::string shell_quoted(const std::filesystem::path& path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=@%+";
  const std::string text = base::shown(path);
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char letter : text) {
    quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  }
  return quoted + "'";
}

base::OutputError output_error(std::string what, int error_number,
                               const std::filesystem::path& path) {
  return {std::move(what),
          fmt::format("{} ({})", base::errno_text(error_number), base::shown(path)),
          fix_for(error_number, path)};
}

}  // namespace lq::io
