#pragma once
// Making folders below a directory without ever leaving it through a link.

#include <filesystem>

namespace lq::io {

/// Makes the folders of `relative` below `root` (which is made as well) and returns root /
/// relative. Throws OutputError when one of them cannot be made, or is a link or a file. REQUIRES:
/// !path_problem(relative).
std::filesystem::path make_parents_below(const std::filesystem::path& root,
                                         const std::filesystem::path& relative);

}  // namespace lq::io
