#pragma once
// A file's content at a second place, in the cheapest way the file systems allow.

#include <filesystem>

namespace lq::io {

enum class CopyMethod { kCopy, kLink };

/// Clones the file (both share the disk's blocks until one is written); where that is not possible
/// links it (kLink, and one file system) or copies its bytes. What was at `to` is replaced. Throws
/// OutputError.
void copy_file(const std::filesystem::path& from, const std::filesystem::path& to,
               CopyMethod method);

}  // namespace lq::io
