#include "common/net/wildcard.h"

#include <gtest/gtest.h>
#include <string>

namespace lq::net {
namespace {

TEST(Wildcard, WithoutSignsItIsTheNameItself) {
  EXPECT_TRUE(matches("config.json", "config.json"));
  EXPECT_FALSE(matches("config.json", "config.jso"));
  EXPECT_FALSE(matches("config.json", "a/config.json"));
  EXPECT_FALSE(matches("config.json", "configXjson"));
  EXPECT_FALSE(matches("Config.json", "config.json"));
  EXPECT_TRUE(matches("", ""));
  EXPECT_FALSE(matches("", "a"));
}

TEST(Wildcard, AStarTakesAnythingSlashesToo) {
  EXPECT_TRUE(matches("*", ""));
  EXPECT_TRUE(matches("*", "a/b"));
  EXPECT_TRUE(matches("*.json", "a/b/c.json"));
  EXPECT_TRUE(matches("a/*.json", "a/b/c.json"));
  EXPECT_TRUE(matches("a**b", "ab"));
  EXPECT_TRUE(matches("*a*b", "xaxxaxb"));
  EXPECT_TRUE(matches("*aab", "aaab"));
  EXPECT_FALSE(matches("*.json", "c.json5"));
  EXPECT_FALSE(matches("a*", "ba"));
}

TEST(Wildcard, AQuestionMarkTakesOneCharacter) {
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_TRUE(matches("a?c", "a/c"));
  EXPECT_TRUE(matches("gr??e", "größe"));
  EXPECT_FALSE(matches("a?c", "ac"));
  EXPECT_FALSE(matches("a?", "a"));
}

TEST(Wildcard, ASetTakesOneOfItsMembers) {
  EXPECT_TRUE(matches("Q[46]_K", "Q4_K"));
  EXPECT_FALSE(matches("Q[46]_K", "Q5_K"));
  EXPECT_TRUE(matches("Q[4-6]_K", "Q5_K"));
  EXPECT_FALSE(matches("Q[4-6]_K", "Q-_K"));
  EXPECT_TRUE(matches("Q[!46]_K", "Q5_K"));
  EXPECT_FALSE(matches("Q[!46]_K", "Q4_K"));
  EXPECT_FALSE(matches("Q[!46]_K", "Q_K"));
  EXPECT_TRUE(matches("[äö]", "ö"));
  EXPECT_FALSE(matches("[äö]", "ü"));
}

TEST(Wildcard, SignsInASetAreThemselves) {
  EXPECT_TRUE(matches("[*]", "*"));
  EXPECT_FALSE(matches("[*]", "a"));
  EXPECT_TRUE(matches("[]a]", "]"));
  EXPECT_TRUE(matches("[!]a]", "b"));
  EXPECT_FALSE(matches("[!]a]", "]"));
  EXPECT_TRUE(matches("[-a]", "-"));
  EXPECT_TRUE(matches("[a-]", "-"));
  EXPECT_TRUE(matches("[a-c-e]", "-"));
  EXPECT_FALSE(matches("[a-c-e]", "d"));
  EXPECT_TRUE(matches("[a!]", "!"));
  EXPECT_TRUE(matches("[[]", "["));
}

TEST(Wildcard, ARangeThatRunsDownwardsIsEmpty) {
  EXPECT_FALSE(matches("[z-a]", "m"));
  EXPECT_TRUE(matches("[!z-a]", "m"));
}

TEST(Wildcard, AnUnclosedBracketIsItself) {
  EXPECT_TRUE(matches("a[b", "a[b"));
  EXPECT_FALSE(matches("a[b", "ab"));
  EXPECT_TRUE(matches("[!", "[!"));
  EXPECT_TRUE(matches("[]", "[]"));
  EXPECT_TRUE(matches("a]b[c", "a]b[c"));
}

TEST(Wildcard, ABackslashIsASlashOnBothSides) {
  EXPECT_TRUE(matches("a\\b", "a/b"));
  EXPECT_TRUE(matches("a/b", "a\\b"));
  EXPECT_TRUE(matches("a\\*", "a/x"));
  EXPECT_FALSE(matches("\\*", "*"));
}

TEST(Wildcard, AFolderStandsForAllBelowIt) {
  EXPECT_TRUE(matches("onnx/", "onnx/model.onnx"));
  EXPECT_TRUE(matches("onnx/", "onnx/a/b"));
  EXPECT_TRUE(matches("onnx\\", "onnx/a"));
  EXPECT_FALSE(matches("onnx/", "onnx"));
  EXPECT_FALSE(matches("onnx", "onnx/a"));
}

TEST(Wildcard, BytesThatAreNoTextMatchThemselvesOnly) {
  EXPECT_TRUE(matches("a\xFF", "a\xFF"));
  EXPECT_TRUE(matches("a?", "a\xC3"));
  EXPECT_FALSE(matches("a\xFF", "a\xFE"));
  EXPECT_FALSE(matches("a\xE9", "a\xC3\xA9"));
  EXPECT_TRUE(matches("?(", "\xC3("));
}

// A matcher that tries every star for itself would be here until the end of days.
TEST(Wildcard, ManyStarsAndBracketsTakeNoLonger) {
  std::string stars;
  for (int i = 0; i < 200; ++i) stars += "*a";
  EXPECT_FALSE(matches(stars + "b", std::string(2000, 'a')));
  EXPECT_TRUE(matches(stars, std::string(2000, 'a')));
  const std::string brackets(200'000, '[');
  EXPECT_TRUE(matches(brackets, brackets));
}

}  // namespace
}  // namespace lq::net
