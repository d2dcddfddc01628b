// Sizes, places and words of the source files.

#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <regex>
#include <sstream>

#include "tests/structure/source_tree.h"

namespace lq::structure {
namespace {

std::vector<std::filesystem::path> all_sources() {
  std::vector<std::filesystem::path> all;
  for (const std::string top : {"common", "tools", "tests", "bench"}) {
    const auto some = sources_below(top);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

TEST(SourceFiles, NoneIsLongerThan800Lines) {
  std::vector<std::pair<std::size_t, std::string>> lengths;
  for (const auto& file : all_sources()) {
    if (file.string().ends_with("_tables.cpp")) continue;
    lengths.emplace_back(lines_of(file).size(), file.string());
  }
  std::sort(lengths.rbegin(), lengths.rend());
  ASSERT_GT(lengths.size(), 10u);
  std::cout << "the longest files:\n";
  for (std::size_t i = 0; i < 10; ++i) {
    std::cout << "  " << lengths[i].first << " " << lengths[i].second << "\n";
  }
  EXPECT_LE(lengths.front().first, 800u) << lengths.front().second;
}

TEST(SourceFiles, MainOfEachToolIsShort) {
  for (const auto& file : sources_below("tools")) {
    if (file.filename() == "main.cpp") {
      EXPECT_LE(lines_of(file).size(), 40u) << file;
    }
  }
}

TEST(SourceFiles, EveryToolOfTheListHasItsFolder) {
  const std::regex list("^set\\(LQ_TOOLS (lq-[^)]*)\\)$");
  std::size_t n_tools = 0;
  for (const std::string& line : lines_of("tools/CMakeLists.txt")) {
    std::smatch match;
    if (!std::regex_match(line, match, list)) continue;
    std::istringstream names(match.str(1));
    for (std::string name; names >> name; ++n_tools) {
      EXPECT_TRUE(std::filesystem::exists(root() / "tools" / name / "main.cpp")) << name;
    }
  }
  EXPECT_GE(n_tools, 2u) << "no set(LQ_TOOLS ...) line in tools/CMakeLists.txt";
}

TEST(SourceFiles, HeadersSayPragmaOnceAndWhatTheyAre) {
  for (const auto& file : all_sources()) {
    if (file.extension() != ".h" || file.string().ends_with("-inl.h")) continue;
    const auto lines = lines_of(file);
    ASSERT_GE(lines.size(), 2u) << file;
    EXPECT_EQ(lines[0], "#pragma once") << file;
    EXPECT_TRUE(lines[1].starts_with("//")) << file << " begins without saying what it is";
  }
}

TEST(SourceFiles, NameNoPlaceOfOneMachineAndNothingUnfinished) {
  // Written in pieces, so that this file does not contain what it looks for.
  const std::regex unwanted(std::string("/wo") + "rk/|/ro" + "ot/|\\bTO" + "DO\\b|\\bFIX" +
                            "ME\\b");
  for (const auto& file : all_sources()) {
    for (const std::string& line : lines_of(file)) {
      EXPECT_FALSE(std::regex_search(line, unwanted)) << file << ": " << line;
    }
  }
}

TEST(SourceFiles, EveryTestFileAsserts) {
  for (const auto& file : sources_below("tests")) {
    if (!file.string().ends_with("_test.cpp")) continue;
    std::ifstream stream(root() / file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const std::regex assertion("EXPECT_|ASSERT_|FAIL\\(|ADD_FAILURE");
    EXPECT_TRUE(std::regex_search(text, assertion)) << file;
  }
}

}  // namespace
}  // namespace lq::structure
