#include "common/text/oniguruma_pattern.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"
#include "tests/text/part_of.h"

namespace lq::testing {
namespace {

std::string translated(const std::string& pattern) {
  return text::pcre2_pattern(pattern, PartOf("{}").part);
}

std::string refusal(const std::string& pattern) {
  return error_of<base::UnsupportedError>([&] { translated(pattern); }).why();
}

TEST(OnigurumaPattern, KeepsWhatBothDialectsHave) {
  for (const char* same :
       {R"( ?\p{L}+|\p{N}{1,3}|[^\r\n\p{L}]?+)", R"((?i:'s|'t)(?<=a)(?<!b)(?=c)(?!d))",
        R"([\[\]\-a-z]*\(\\)", R"(a{2}b{2,}x{)"}) {
    EXPECT_EQ(translated(same), same == std::string(R"(a{2}b{2,}x{)") ? R"(a{2}b{2,}x\{)" : same);
  }
}

TEST(OnigurumaPattern, WritesClassesByTheirProperties) {
  EXPECT_EQ(translated(R"(\s\S)"), R"([\p{White_Space}][^\p{White_Space}])");
  EXPECT_EQ(translated(R"([^\S\r\n])"), R"([^\P{White_Space}\r\n])");
  EXPECT_EQ(translated(R"(\h\H)"), "[0-9A-Fa-f][^0-9A-Fa-f]");
  EXPECT_EQ(translated(R"(\p{Han}\p{^Lu}\P{Letter})"), R"(\p{sc:Han}\P{Lu}\P{L})");
  EXPECT_EQ(translated(R"([[:punct:][:digit:]])"), R"([\p{P}\p{S}\p{Nd}])");
}

TEST(OnigurumaPattern, RepeatsAnIntervalThatAPlusFollows) {
  EXPECT_EQ(translated(R"(a\p{N}{1,3}+)"), R"(a(?:\p{N}{1,3})+)");
  EXPECT_EQ(translated("(ab){,2}+"), "(?:(ab){0,2})+");
}

TEST(OnigurumaPattern, WritesIntersectionsAsLookaheads) {
  EXPECT_EQ(translated(R"([\p{L}&&[^\p{Han}]]+)"), R"((?:(?=[\p{L}])[^\p{sc:Han}])+)");
  EXPECT_EQ(translated("[^a-z&&aeiou]"), "(?:(?!(?=[a-z])[aeiou])(?s:.))");
}

TEST(OnigurumaPattern, SpellsEscapesAsPcre2Does) {
  EXPECT_EQ(translated(R"(\u4e00\v(?m:.)(?im-x:a))"), R"(\x{4e00}\x0b(?s:.)(?is-x:a))");
}

TEST(OnigurumaPattern, SaysWhatItCannotWrite) {
  EXPECT_EQ(refusal("[a"), "its expression '[a' has a class without an end");
  EXPECT_EQ(refusal("a\\"), R"(its expression 'a\' has a backslash at its end)");
  EXPECT_EQ(refusal("[a\\"), R"(its expression '[a\' has a backslash at its end)");
  EXPECT_EQ(refusal(R"([\W])"), R"(its expression '[\W]' has \W within a class)");
  EXPECT_EQ(refusal(R"(\p{L)"), R"(its expression '\p{L' has a property without an end)");
  EXPECT_EQ(refusal(R"(\u12)"), R"(its expression '\u12' has an incomplete \u)");
  EXPECT_EQ(refusal("[[:a]"), "its expression '[[:a]' has a POSIX class without an end");
  EXPECT_EQ(refusal("[[:graph:]]"),
            "its expression '[[:graph:]]' has a POSIX class that lq does not know");
  EXPECT_EQ(refusal("[a[^b]]"), "its expression '[a[^b]]' has a complement within a class");
  EXPECT_EQ(refusal("[a[b&&c]]"), "its expression '[a[b&&c]]' has an intersection within a class");
  EXPECT_NE(refusal(std::string(20, '[')).find("classes deep in each other"), std::string::npos);
}

}  // namespace
}  // namespace lq::testing
