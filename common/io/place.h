#pragma once
// Where something could be written.

#include <filesystem>

namespace lq::io {

/// The path itself where something is there, else the nearest folder above it.
std::filesystem::path nearest_existing(std::filesystem::path path);

/// The errno with which permissions or the file system keep this user from writing what is there,
/// or from making it; 0 where they do not.
int write_problem(const std::filesystem::path& path);

}  // namespace lq::io
