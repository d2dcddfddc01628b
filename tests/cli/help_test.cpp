#include "common/cli/help.h"

#include <gtest/gtest.h>
#include <sstream>

#include "tests/cli/toy_tool.h"

namespace lq::cli {
namespace {

class HelpTest : public ::testing::Test {
 protected:
  HelpTest() {
    tool_.declare(table_);
    declare_common(table_, true, common_, session_, environment_);
  }
  const base::Environment environment_;
  ToyTool tool_;
  CommonOptions common_;
  SessionOptions session_;
  OptionTable table_;
};

TEST_F(HelpTest, HasTheShapeThatHelp2manReads) {
  bool flag = false;
  OptionTable table;
  tool_.declare(table);
  table.group("Help").flag("help", 'h', flag, "print this help, then exit");
  EXPECT_EQ(help_text(tool_.spec(), table),
            "Usage: lq-toy [OPTION]... MODEL\n"
            "Make a toy of a model, so that the manners of every tool can be looked at.\n"
            "\n"
            "What to make:\n"
            "  -c, --colour COLOUR        colour of the toy\n"
            "      --part NAME=VALUE      a part of the toy; may be repeated\n"
            "\n"
            "Help:\n"
            "  -h, --help                 print this help, then exit\n"
            "\n"
            "Examples:\n"
            "  lq-toy my-model\n"
            "  lq-toy my-model --colour blue\n"
            "\n"
            "Exit status:\n"
            "    0  done, or already up to date\n"
            "    2  usage: option, operand or config file\n"
            "  143  stopped by SIGTERM\n"
            "\n"
            "Report bugs to the project's issue tracker, with the output of\n"
            "lq-toy --version -v and of the failing command with -vv.\n");
}

TEST_F(HelpTest, NamesEveryOption) {
  const std::string help = help_text(tool_.spec(), table_);
  for (const Option& option : table_.options()) {
    EXPECT_NE(help.find("--" + option.name), std::string::npos) << option.name;
  }
  EXPECT_NE(help.find("--wait[=SEC]"), std::string::npos);
}

TEST_F(HelpTest, StaysWithin80Columns) {
  std::istringstream lines(help_text(tool_.spec(), table_));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(HelpTest, StartsTheTextOnALineOfItsOwnWhereTheOptionIsLong) {
  bool flag = false;
  OptionTable table;
  table.flag("a-very-long-name-for-an-option", 0, flag, "what it does");
  EXPECT_NE(help_text(tool_.spec(), table)
                .find("      --a-very-long-name-for-an-option\n" + std::string(29, ' ') + "what"),
            std::string::npos);
}

}  // namespace
}  // namespace lq::cli
