#pragma once
// Puts a finished directory in the place of an older one.

#include <filesystem>

namespace lq::io {

/// How an existing directory makes room: swapped in one step, or moved aside first where the file
/// system cannot swap.
enum class SwapMethod { kExchange, kMoveAside };

/// Renames `made` to `target` and removes what was at `target` before. With kExchange the target is
/// at every moment either the old or the new directory, and after a kill `made` may hold the old
/// one; with kMoveAside there is a short gap with neither, and after a kill the old one may lie at
/// `<target>.lq-old`. kExchange falls back by itself. Both are in one directory, which is synced.
/// Throws OutputError.
void replace_directory(const std::filesystem::path& made, const std::filesystem::path& target,
                       SwapMethod method = SwapMethod::kExchange);

/// `<target>.lq-old`
std::filesystem::path moved_aside(const std::filesystem::path& target);

}  // namespace lq::io
