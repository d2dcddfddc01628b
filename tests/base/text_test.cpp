#include "common/base/text.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <vector>

namespace lq::base {
namespace {

TEST(FormatBytes, TakesTheLargestUnitBelow1024) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.00 KiB");
  EXPECT_EQ(format_bytes(1342177280), "1.25 GiB");
  EXPECT_EQ(format_bytes(std::numeric_limits<std::uint64_t>::max()), "16.00 EiB");
}

TEST(FormatBytes, NeverRoundsUpTo1024OfAUnit) {
  EXPECT_EQ(format_bytes(1048575), "1.00 MiB");
  EXPECT_EQ(format_bytes(1048570), "1023.99 KiB");
}

TEST(EscapeControls, LeavesPrintableUtf8Alone) {
  EXPECT_EQ(escape_controls("blk.0.attn_q.weight"), "blk.0.attn_q.weight");
  EXPECT_EQ(escape_controls("模型 ü 🙂"), "模型 ü 🙂");
}

TEST(EscapeControls, ShowsWhatWouldDriveATerminal) {
  EXPECT_EQ(escape_controls("a\x1b[2Jb"), "a\\x1B[2Jb");
  EXPECT_EQ(escape_controls("a\nb\tc\x7f"), "a\\x0Ab\\x09c\\x7F");
  EXPECT_EQ(escape_controls(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(escape_controls("\xC2\x9B"), "\\xC2\\x9B");           // C1: a one-character escape
  EXPECT_EQ(escape_controls("\xE2\x80\xAE"), "\\xE2\\x80\\xAE");  // right-to-left override
}

TEST(EscapeControls, ShowsInvalidUtf8ByteByByte) {
  EXPECT_EQ(escape_controls("\xFFz"), "\\xFFz");
  EXPECT_EQ(escape_controls("\xC0\xAF"), "\\xC0\\xAF");                    // overlong
  EXPECT_EQ(escape_controls("\xE0\x80\x80"), "\\xE0\\x80\\x80");           // overlong
  EXPECT_EQ(escape_controls("\xED\xA0\x80"), "\\xED\\xA0\\x80");           // surrogate
  EXPECT_EQ(escape_controls("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(escape_controls("\xE6\xA8"), "\\xE6\\xA8");                    // cut off
}

TEST(Trimmed, TakesBlanksAndLineEndsFromBothSides) {
  EXPECT_EQ(trimmed(" \t a b \r\n"), "a b");
  EXPECT_EQ(trimmed("ab"), "ab");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed(" \n\t\r "), "");
}

TEST(IsLowerHex, IsExactlySoManyDigits) {
  EXPECT_TRUE(is_lower_hex("0123456789abcdef", 16));
  EXPECT_TRUE(is_lower_hex("", 0));
  EXPECT_FALSE(is_lower_hex("abc", 4));
  EXPECT_FALSE(is_lower_hex("abcde", 4));
  for (const char* const text : {"abcG", "ABCD", "ab/d", "ab:d", "ab`d", "abgd", " bcd", "0x12"}) {
    EXPECT_FALSE(is_lower_hex(text, 4)) << text;
  }
  EXPECT_FALSE(is_lower_hex(std::string_view("ab\0d", 4), 4));
}

TEST(ToLower, ChangesAsciiOnly) { EXPECT_EQ(to_lower("Q4_K_M Ü"), "q4_k_m Ü"); }

TEST(Nearest, FindsMistypedWordsWithoutRegardToCase) {
  const std::vector<std::string> types = {"Q4_K_M", "Q4_K_S", "Q5_K_M", "F16"};
  EXPECT_EQ(nearest("q4_k_n", types), "Q4_K_M");
  EXPECT_EQ(nearest("Q4KM", types), "Q4_K_M");
  EXPECT_EQ(nearest("f61", types), "F16");  // swapped neighbours are one step
}

TEST(Nearest, NamesNothingThatIsFar) {
  const std::vector<std::string> types = {"Q4_K_M", "F16"};
  EXPECT_EQ(nearest("banana", types), "");
  EXPECT_EQ(nearest("", types), "");
  EXPECT_EQ(nearest("anything", {}), "");
}

TEST(Nearest, TakesTheFirstOfEquallyNearOnes) {
  const std::vector<std::string> words = {"shard", "share"};
  EXPECT_EQ(nearest("sharx", words), "shard");
}

TEST(ErrnoText, IsTheSystemsText) { EXPECT_EQ(errno_text(ENOSPC), "No space left on device"); }

TEST(WithoutSecrets, LeavesSchemeHostAndPath) {
  EXPECT_EQ(without_secrets("http://me:p@w@host/a?sig=1#x"), "http://host/a");
  EXPECT_EQ(without_secrets("//me@host"), "//host");
  EXPECT_EQ(without_secrets("/path/with@sign"), "/path/with@sign");
  EXPECT_EQ(without_secrets("https://host/a@b"), "https://host/a@b");
}

TEST(WithoutQueries, LeavesTheRestOfASentence) {
  EXPECT_EQ(without_queries("Request https://h/a?sig=1&x=2 has expired, see \"http://h?y\"?"),
            "Request https://h/a has expired, see \"http://h\"?");
  EXPECT_EQ(without_queries("why? a://b"), "why? a://b");
  EXPECT_EQ(without_queries("a://b?c"), "a://b");
  EXPECT_EQ(without_queries(""), "");
}

}  // namespace
}  // namespace lq::base
