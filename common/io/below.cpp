#include "common/io/below.h"

#include <cerrno>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/output_error.h"

namespace lq::io {

namespace fs = std::filesystem;

fs::path make_parents_below(const fs::path& root, const fs::path& relative) {
  const auto fail = [&](const fs::path& place, const std::error_code& error) {
    throw output_error("cannot make the folder " + base::shown(place), error.value(), place);
  };
  std::error_code error;
  fs::create_directories(root, error);
  if (error) fail(root, error);
  fs::path folder = root;
  for (const fs::path& segment : relative.parent_path()) {
    folder /= segment;
    // Made first and looked at after, so that nobody can put a link there in between.
    std::error_code unmade;
    fs::create_directory(folder, unmade);
    const fs::file_status status = fs::symlink_status(folder, error);
    if (fs::is_directory(status)) continue;
    if (fs::is_symlink(status)) {
      throw base::OutputError(
          "cannot write below " + base::shown(folder), "it is a link, which could lead elsewhere",
          fmt::format("remove it (rm {}), or choose another directory", shell_quoted(folder)));
    }
    fail(folder, unmade ? unmade : std::make_error_code(std::errc::not_a_directory));
  }
  return root / relative;
}

}  // namespace lq::io
