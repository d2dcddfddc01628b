#pragma once
// The project's own source files, as the structure tests walk them.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace lq::structure {

inline std::filesystem::path root() {
  return std::filesystem::path(LQ_TEST_DATA).parent_path().parent_path();
}

/// Every .h and .cpp file below a folder of the project, relative to the project's root, sorted.
inline std::vector<std::filesystem::path> sources_below(const std::string& folder) {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::exists(root() / folder)) return found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root() / folder)) {
    const std::string extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp")) {
      found.push_back(entry.path().lexically_relative(root()));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline std::vector<std::string> lines_of(const std::filesystem::path& relative) {
  std::ifstream file(root() / relative);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace lq::structure
