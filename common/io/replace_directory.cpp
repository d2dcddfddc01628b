#include "common/io/replace_directory.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>

#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"

namespace lq::io {
namespace {

void rename_or_fail(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  throw output_error(fmt::format("cannot rename {} to {}", base::shown(from), base::shown(to)),
                     errno, to);
}

void remove_tree(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) {
    throw output_error(fmt::format("cannot remove the old {}", base::shown(path)), error.value(),
                       path);
  }
}

}  // namespace

std::filesystem::path moved_aside(const std::filesystem::path& target) {
  return target.string() + ".lq-old";
}

void replace_directory(const std::filesystem::path& made, const std::filesystem::path& target,
                       SwapMethod method) {
  const std::filesystem::path old = moved_aside(target);
  if (!file_status(target)) {
    rename_or_fail(made, target);
    sync_directory(directory_of(target));
    remove_tree(old);
    return;
  }
  if (method == SwapMethod::kExchange &&
      ::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
    sync_directory(directory_of(target));
    remove_tree(made);
  } else {
    remove_tree(old);
    rename_or_fail(target, old);
    rename_or_fail(made, target);
    sync_directory(directory_of(target));
  }
  remove_tree(old);
}

}  // namespace lq::io
