// Folders are strata: every #include of ours goes along an edge of layers.txt.

#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/structure/source_tree.h"

namespace lq::structure {
namespace {

using Edges = std::map<std::string, std::set<std::string>>;

Edges allowed_edges() {
  Edges edges;
  for (const std::string& line : lines_of("tests/structure/layers.txt")) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string folder;
    std::getline(words, folder, ':');
    edges[folder].insert(folder);
    for (std::string other; words >> other;) edges[folder].insert(other);
  }
  return edges;
}

/// "common/<folder>/x.h" -> folder, "tools/<name>/x.h" -> "tools".
std::string stratum_of(const std::filesystem::path& path) {
  auto part = path.begin();
  return *part == "tools" ? "tools" : std::next(part)->string();
}

TEST(Layering, EveryIncludeGoesAlongAnAllowedEdge) {
  const Edges edges = allowed_edges();
  const std::regex own_include("^#include \"((common|tools)/[^\"]+)\".*");
  std::size_t n_includes = 0;
  for (const std::string top : {"common", "tools"}) {
    for (const auto& file : sources_below(top)) {
      const std::string stratum = stratum_of(file);
      ASSERT_TRUE(edges.contains(stratum)) << file << ": folder is not in layers.txt";
      for (const std::string& line : lines_of(file)) {
        std::smatch match;
        if (!std::regex_match(line, match, own_include)) continue;
        ++n_includes;
        EXPECT_TRUE(edges.at(stratum).contains(stratum_of(match.str(1))))
            << file << " may not include " << match.str(1);
      }
    }
  }
  EXPECT_GT(n_includes, 50u) << "the pattern of #include lines matches too little";
}

TEST(Layering, ToolsDoNotIncludeEachOther) {
  const std::regex tool_include("^#include \"tools/([^/]+)/[^\"]+\".*");
  for (const auto& file : sources_below("tools")) {
    const std::string own = *std::next(file.begin());
    for (const std::string& line : lines_of(file)) {
      std::smatch match;
      if (std::regex_match(line, match, tool_include)) {
        EXPECT_EQ(match.str(1), own) << file;
      }
    }
  }
}

TEST(Layering, EdgesHaveNoCycle) {
  std::set<std::string> below;
  for (const std::string& line : lines_of("tests/structure/layers.txt")) {
    if (line.empty() || line.front() == '#') continue;
    const std::string folder = line.substr(0, line.find(':'));
    std::istringstream words(line.substr(folder.size() + 1));
    for (std::string other; words >> other;) {
      EXPECT_TRUE(below.contains(other)) << folder << " stands above " << other;
    }
    below.insert(folder);
  }
}

}  // namespace
}  // namespace lq::structure
