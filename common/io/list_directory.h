#pragma once
// What is in a directory. In place of std::filesystem::directory_iterator, which throws from its
// increment although it was made with an error code.

#include <filesystem>
#include <system_error>
#include <vector>

namespace lq::io {

/// The paths of its entries (`directory` / name, without "." and ".."), sorted. With `error` set
/// they are those that were read before it came. Throws nothing of its own.
std::vector<std::filesystem::path> list_directory(const std::filesystem::path& directory,
                                                  std::error_code& error);

}  // namespace lq::io
