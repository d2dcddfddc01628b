#include "common/cli/command_line.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using base::UsageError;
using testing::error_of;

class CommandLineTest : public ::testing::Test {
 protected:
  CommandLineTest() {
    table_.flag("force", 'f', flag_, "")
        .flag("print-config", 0, flag_, "")
        .flag("progress-bar", 0, flag_, "")
        .text("output", 'o', "PATH", text_, "")
        .flag("help", 'h', flag_, "");
    table_.add({.name = "wait",
                .value_name = "SEC",
                .optional_value = true,
                .set = [](const std::string&) {}});
  }
  CommandLine parse(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "lq-toy");
    return parse_command_line(arguments, table_);
  }
  /// "force=true output=x | operand"
  std::string told(const std::vector<std::string>& arguments) const {
    const CommandLine line = parse(arguments);
    std::string text;
    for (const Assignment& a : line.assignments) text += a.option->name + "=" + a.value + " ";
    text += "|";
    for (const std::string& operand : line.operands) text += " " + operand;
    return text;
  }

  bool flag_ = false;
  std::string text_;
  OptionTable table_;
};

TEST_F(CommandLineTest, MixesOptionsAndOperands) {
  EXPECT_EQ(told({"a", "-f", "b", "--output", "x", "c"}), "force=true output=x | a b c");
  EXPECT_EQ(told({"-fo", "x"}), "force=true output=x |");
  EXPECT_EQ(told({"-ox", "--output=y"}), "output=x output=y |");
}

TEST_F(CommandLineTest, EndsOptionsAtTwoDashes) {
  EXPECT_EQ(told({"--", "-f", "--output"}), "| -f --output");
}

TEST_F(CommandLineTest, TakesASingleDashAsOperand) {
  EXPECT_EQ(told({"-", "-f"}), "force=true | -");
}

TEST_F(CommandLineTest, TakesBackAFlagWithFalse) {
  EXPECT_EQ(told({"--force=false"}), "force=false |");
}

TEST_F(CommandLineTest, LeavesOutAnOptionalValue) {
  EXPECT_EQ(told({"--wait", "30"}), "wait= | 30");
  EXPECT_EQ(told({"--wait=30"}), "wait=30 |");
}

TEST_F(CommandLineTest, AcceptsShortenedNamesThatStayUnique) {
  EXPECT_EQ(told({"--outp", "x"}), "output=x |");
}

TEST_F(CommandLineTest, RefusesAmbiguousNames) {
  const UsageError error = error_of<UsageError>([&] { parse({"--pr"}); });
  EXPECT_STREQ(error.what(), "option --pr is ambiguous");
  EXPECT_EQ(error.why(), "it could mean --print-config, --progress-bar");
  EXPECT_EQ(error.fix(), "write the name in full");
}

TEST_F(CommandLineTest, NamesTheNearestOfAnUnknownOption) {
  const UsageError error = error_of<UsageError>([&] { parse({"x", "--ouptut=y"}); });
  EXPECT_STREQ(error.what(), "unknown option --ouptut");
  EXPECT_EQ(error.why(), "there is no option of that name");
  EXPECT_EQ(error.fix(), "did you mean --output?");
  EXPECT_EQ(error_of<UsageError>([&] {
              parse({"--zzzzzzzz", "x"});
            }).fix(),
            "--help lists the options");
}

TEST_F(CommandLineTest, RefusesUnknownLetters) {
  const UsageError error = error_of<UsageError>([&] { parse({"-fx"}); });
  EXPECT_STREQ(error.what(), "unknown option -x");
  EXPECT_EQ(error.why(), "there is no option of that letter");
}

TEST_F(CommandLineTest, RefusesAMissingValue) {
  for (const char* spelling : {"--output", "-o"}) {
    const UsageError error = error_of<UsageError>([&] { parse({"x", spelling}); });
    EXPECT_STREQ(error.what(), "option --output has no value");
    EXPECT_EQ(error.why(), "it needs PATH, and the command line ends");
    EXPECT_EQ(error.fix(), "write --output PATH");
  }
}

TEST_F(CommandLineTest, EscapesWhatItQuotes) {
  EXPECT_STREQ(error_of<UsageError>([&] { parse({"--\x1b[2J"}); }).what(),
               "unknown option --\\x1B[2J");
}

TEST_F(CommandLineTest, StopsAtHelpWhateverFollows) {
  EXPECT_TRUE(parse({"--help", "--unknown"}).has("help"));
  EXPECT_FALSE(parse({"-f"}).has("help"));
}

}  // namespace
}  // namespace lq::cli
