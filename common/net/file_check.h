#pragma once
// Hashing files that are here, with an ear for a stop.

#include <filesystem>
#include <functional>
#include <string>

#include "common/net/repo_files.h"

namespace lq::net {

/// Whether the file at `place` is that of the Hub; any of the size, where no hash of it is told.
/// `keep_going` is called for every piece and may throw.
bool content_is_right(const std::filesystem::path& place, const RepoFile& file,
                      const std::function<void()>& keep_going);

std::string sha256_of(const std::filesystem::path& place, const std::function<void()>& keep_going);

}  // namespace lq::net
