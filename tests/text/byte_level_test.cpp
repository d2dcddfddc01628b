#include "common/text/byte_level.h"

#include <gtest/gtest.h>

namespace lq::testing {
namespace {

TEST(ByteLevel, WritesEachByteAsOneCharacter) {
  std::string text;
  text::append_byte_characters("a \n\xC3\xA9\xAD", text);
  EXPECT_EQ(text, "a\u0120\u010A\u00C3\u00A9\u0143");
}

TEST(ByteLevel, ReadsTheCharacterOfEveryByte) {
  std::string bytes, text;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  text::append_byte_characters(bytes, text);
  EXPECT_EQ(text::bytes_of_characters(text), bytes);
  EXPECT_EQ(text::bytes_of_characters(""), "");
}

TEST(ByteLevel, ReadsNothingWhereACharacterStandsForNoByte) {
  for (const char* text : {"a b", "a\u00AD", "\u0144", "\u4E00"}) {
    EXPECT_EQ(text::bytes_of_characters(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace lq::testing
