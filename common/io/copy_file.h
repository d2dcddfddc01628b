#pragma once
// A file's content at a second place, in the cheapest way the file systems allow.

#include <filesystem>
#include <functional>

namespace lq::io {

enum class CopyMethod { kCopy, kLink };

/// Clones the file (both share the disk's blocks until one is written); where that is not possible
/// links it (kLink, and one file system) or copies its bytes. What was at `to` is replaced. The
/// content is on disk when it returns, under the mode of a new file except where it was linked.
/// `keep_going` is called before every piece and may throw, which removes what was copied. Throws
/// OutputError; ModelNotFoundError and ValidationError where `from` cannot be read.
void copy_file(const std::filesystem::path& from, const std::filesystem::path& to,
               CopyMethod method, const std::function<void()>& keep_going = {});

}  // namespace lq::io
