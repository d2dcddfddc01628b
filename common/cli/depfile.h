#pragma once
// Rules for make: the result depends on every file read, and each of those has an empty rule, so
// that one that disappears makes the result out of date instead of stopping make.

#include <filesystem>
#include <string>
#include <vector>

namespace lq::cli {

/// How the user's makefile names the results: a single one as it was typed behind --output, else
/// relative to `here` unless an absolute path was typed.
std::vector<std::string> depfile_targets(const std::vector<std::string>& results,
                                         const std::string& typed_output,
                                         const std::filesystem::path& here);

/// Throws UsageError for names that make cannot hold (newlines).
std::string depfile_text(const std::vector<std::string>& targets,
                         const std::vector<std::string>& dependencies);

}  // namespace lq::cli
