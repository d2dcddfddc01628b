#include "common/text/utf8.h"

#include <gtest/gtest.h>

namespace lq::testing {
namespace {

const std::string kText = "a\u00E9\u20AC\U0001F600";

TEST(Utf8, ReadsCodePointsForwards) {
  std::u32string found;
  for (std::size_t at = 0; at < kText.size();) {
    const text::CodePoint point = text::code_point_at(kText, at);
    found += point.value;
    at += point.n_bytes;
  }
  EXPECT_EQ(found, U"a\u00E9\u20AC\U0001F600");
}

TEST(Utf8, ReadsCodePointsBackwards) {
  std::u32string found;
  for (std::size_t end = kText.size(); end > 0;) {
    const text::CodePoint point = text::code_point_before(kText, end);
    found += point.value;
    end -= point.n_bytes;
  }
  EXPECT_EQ(found, U"\U0001F600\u20AC\u00E9a");
}

TEST(Utf8, WritesWhatItReads) {
  std::string text;
  for (const char32_t value : U"a\u00E9\u20AC\U0001F600") {
    if (value != 0) text::append_utf8(value, text);
  }
  EXPECT_EQ(text, kText);
}

TEST(Utf8, FindsTheFirstInvalidByte) {
  EXPECT_FALSE(text::first_invalid_utf8(kText).has_value());
  EXPECT_FALSE(text::first_invalid_utf8(std::string("a\0b", 3)).has_value());
  EXPECT_EQ(text::first_invalid_utf8("ab\x80"), 2);
  EXPECT_EQ(text::first_invalid_utf8("\xE2\x82"), 0);
  EXPECT_EQ(text::first_invalid_utf8("a\xED\xA0\x80"), 1);
}

TEST(Utf8, ReplacesWhatIsNoneByOneMarkForEachBeginning) {
  const std::string mark = "\uFFFD";
  EXPECT_EQ(text::valid_utf8(kText), kText);
  EXPECT_EQ(text::valid_utf8(""), "");
  EXPECT_EQ(text::valid_utf8("a\x80"
                             "b\xFF"),
            "a" + mark + "b" + mark);
  // Cut short after two of three bytes and three of four.
  EXPECT_EQ(text::valid_utf8("\xE2\x82|\xF0\x9F\x98|\xF0\x9F"), mark + "|" + mark + "|" + mark);
  EXPECT_EQ(text::valid_utf8("\xC3\xC3\xA9"), mark + "\u00E9");
  // Overlong, a surrogate, too high: no byte begins anything.
  EXPECT_EQ(text::valid_utf8("\xC0\x80"), mark + mark);
  EXPECT_EQ(text::valid_utf8("\xE0\x9F\xBF"), mark + mark + mark);
  EXPECT_EQ(text::valid_utf8("\xED\xA0\x80"), mark + mark + mark);
  EXPECT_EQ(text::valid_utf8("\xF0\x8F\xBF\xBF"), mark + mark + mark + mark);
  EXPECT_EQ(text::valid_utf8("\xF4\x90\x80\x80"), mark + mark + mark + mark);
}

}  // namespace
}  // namespace lq::testing
