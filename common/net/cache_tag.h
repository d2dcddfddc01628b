#pragma once
// The mark that tells backup programs to leave a directory out (bford.info/cachedir).

#include <filesystem>

namespace lq::net {

/// Makes the directory and its CACHEDIR.TAG where they are missing. Throws OutputError.
void mark_as_cache(const std::filesystem::path& directory);

}  // namespace lq::net
