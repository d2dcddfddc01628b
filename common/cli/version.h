#pragma once
// The version of these tools and what they were built with.

#include <string>
#include <string_view>

namespace lq::cli {

/// "1.2.3"
std::string_view version();
/// The commit of the source this was built from; empty where it was no git repository.
std::string_view commit();
/// What --version prints; `details` adds compiler, instruction sets found and library versions.
std::string version_text(const std::string& tool, bool details);

}  // namespace lq::cli
