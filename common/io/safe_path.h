#pragma once
// Relative paths that come from a file or from the network and are about to be opened below a
// directory.

#include <optional>
#include <string>
#include <string_view>

namespace lq::io {

/// What is wrong with `path`, as the end of a sentence ("is absolute"); nothing when it is safe to
/// open below a directory: relative, valid UTF-8 without control characters and backslashes, no
/// segment that is empty, `.`, `..`, over 255 bytes or a drive letter, at most 1024 bytes, not
/// below `.git`, `.cache` or `.lq`.
std::optional<std::string> path_problem(std::string_view path);

}  // namespace lq::io
