#pragma once
// Hashing files that are here, with an ear for a stop.

#include <filesystem>
#include <functional>
#include <string>

#include "common/net/repo_files.h"
#include "common/stage/stop.h"

namespace lq::fetch {

/// Whether the file at `place` is that of the Hub. Throws stage::Interrupted.
bool content_is_right(const std::filesystem::path& place, const net::RepoFile& file,
                      const std::function<stage::StopReason()>& stop);

std::string sha256_of(const std::filesystem::path& place,
                      const std::function<stage::StopReason()>& stop);

}  // namespace lq::fetch
