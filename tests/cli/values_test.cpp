#include "common/cli/values.h"

#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using base::UsageError;
using testing::error_of;

TEST(ParseInteger, TakesWholeNumbersInRange) {
  EXPECT_EQ(parse_integer("7", 1, 9), 7);
  EXPECT_EQ(parse_integer("-1", -1, 9), -1);
}

TEST(ParseInteger, RefusesEverythingElseWithTheRange) {
  for (const char* text : {"", "x", "7x", "10", "0", "1.5", " 7", "99999999999999999999"}) {
    const UsageError error = error_of<UsageError>([&] { parse_integer(text, 1, 9); });
    EXPECT_EQ(error.why(), "'" + std::string(text) + "' is not a whole number from 1 to 9");
    EXPECT_EQ(error.fix(), "give a whole number from 1 to 9");
  }
  const UsageError open =
      error_of<UsageError>([] { parse_integer("x", 1, std::numeric_limits<std::int64_t>::max()); });
  EXPECT_EQ(open.fix(), "give a whole number from 1");
}

TEST(ParseSize, TakesPowersOf1024And1000) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("4096B"), 4096U);
  EXPECT_EQ(parse_size("512M"), 512ULL << 20U);
  EXPECT_EQ(parse_size("512MiB"), 512ULL << 20U);
  EXPECT_EQ(parse_size("4g"), 4ULL << 30U);
  EXPECT_EQ(parse_size("4GB"), 4'000'000'000ULL);
  EXPECT_EQ(parse_size("1.5K"), 1536U);
  EXPECT_EQ(parse_size("2T"), 2ULL << 40U);
}

TEST(ParseSize, RefusesWhatIsNoSize) {
  for (const char* text : {"", "M", "-4M", "4Q", "4MBB", "4 M", "nan", "inf", "16E", "1e9"}) {
    const UsageError error = error_of<UsageError>([&] { parse_size(text); });
    EXPECT_EQ(error.why(), "'" + std::string(text) + "' is not a size");
    EXPECT_NE(error.fix().find("512M or 4GB"), std::string::npos);
  }
}

TEST(ParseSeconds, TakesUnits) {
  EXPECT_EQ(parse_seconds("90"), 90);
  EXPECT_EQ(parse_seconds("90s"), 90);
  EXPECT_EQ(parse_seconds("15m"), 900);
  EXPECT_EQ(parse_seconds("2h"), 7200);
  EXPECT_EQ(parse_seconds("0.5h"), 1800);
  EXPECT_EQ(parse_seconds("1d"), 86400);
}

TEST(ParseSeconds, RefusesWhatIsNoTime) {
  for (const char* text : {"", "h", "-1", "2hours", "1:30", "1e30", "99999999999", "inf"}) {
    const UsageError error = error_of<UsageError>([&] { parse_seconds(text); });
    EXPECT_EQ(error.why(), "'" + std::string(text) + "' is not a time");
    EXPECT_EQ(error.fix(), "give seconds, or a number with s, m, h or d, such as 90, 15m or 2h");
  }
}

TEST(ParseBool, TakesTheUsualWords) {
  for (const char* text : {"true", "Yes", "ON", "1"}) EXPECT_TRUE(parse_bool(text)) << text;
  for (const char* text : {"false", "No", "off", "0"}) EXPECT_FALSE(parse_bool(text)) << text;
  EXPECT_EQ(error_of<UsageError>([] { parse_bool("maybe"); }).fix(), "give true or false");
}

TEST(MatchChoice, IgnoresCaseAndNamesTheNearest) {
  const std::vector<std::string> choices = {"auto", "always", "never"};
  EXPECT_EQ(match_choice("NEVER", choices), "never");
  const UsageError near = error_of<UsageError>([&] { match_choice("alwys", choices); });
  EXPECT_EQ(near.why(), "'alwys' is not one of auto, always, never");
  EXPECT_EQ(near.fix(), "did you mean always?");
  const UsageError far = error_of<UsageError>([&] { match_choice("zzzzzzzz", choices); });
  EXPECT_EQ(far.fix(), "give one of auto, always, never");
}

TEST(Values, AreQuotedWithoutControlCharacters) {
  EXPECT_EQ(error_of<UsageError>([] { parse_size("4\x1b[0m"); }).why(),
            "'4\\x1B[0m' is not a size");
}

TEST(FormatNumber, ReadsBackAsTheSameNumber) {
  EXPECT_EQ(format_number(90), "90");
  EXPECT_EQ(format_number(0.5), "0.5");
  EXPECT_EQ(format_number(std::numeric_limits<double>::infinity()), "inf");
}

TEST(FormatSeconds, GrowsWithTheSpan) {
  EXPECT_EQ(format_seconds(0.421), "0.42 s");
  EXPECT_EQ(format_seconds(12.34), "12.3 s");
  EXPECT_EQ(format_seconds(185), "3:05");
  EXPECT_EQ(format_seconds(3723), "1:02:03");
}

}  // namespace
}  // namespace lq::cli
