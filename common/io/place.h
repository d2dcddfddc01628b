#pragma once
// Where something could be written.

#include <filesystem>

namespace lq::io {

/// The path itself where something is there, else the nearest folder above it.
std::filesystem::path nearest_existing(std::filesystem::path path);

/// Whether permissions and the file system let this user write what is there, or make it.
bool is_writable(const std::filesystem::path& path);

}  // namespace lq::io
