#include "common/cli/option_table.h"

#include <gtest/gtest.h>
#include <stdexcept>

#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using base::UsageError;
using testing::error_of;

TEST(OptionTable, BindsEveryKindOfValue) {
  bool pure = false;
  std::string type = "F16";
  std::vector<std::string> patterns;
  std::int64_t lanes = 4;
  std::uint64_t bytes = 0;
  std::optional<double> limit;
  OptionTable table;
  table.flag("pure", 'p', pure, "")
      .text("type", 't', "TYPE", type, "")
      .list("tensor-type", 0, "REGEX=TYPE", patterns, "")
      .integer("lanes", 0, "N", lanes, 1, 8, "")
      .size("split", 0, "SIZE", bytes, "")
      .seconds("limit", 0, "TIME", limit, "");
  EXPECT_EQ(table.find("split")->get(), "");
  EXPECT_EQ(table.find("limit")->get(), "");
  table.find("pure")->set("true");
  table.find("type")->set("Q4_K_M");
  table.find("tensor-type")->set("a=F16");
  table.find("tensor-type")->set("b=F32");
  table.find("lanes")->set("2");
  table.find("split")->set("1K");
  table.find("limit")->set("2m");
  EXPECT_TRUE(pure);
  EXPECT_EQ(type, "Q4_K_M");
  EXPECT_EQ(patterns, (std::vector<std::string>{"a=F16", "b=F32"}));
  EXPECT_EQ(lanes, 2);
  EXPECT_EQ(bytes, 1024U);
  EXPECT_EQ(limit, 120);
  EXPECT_EQ(table.find("pure")->get(), "true");
  EXPECT_EQ(table.find("tensor-type")->get(), "a=F16\nb=F32");
  EXPECT_EQ(table.find("lanes")->get(), "2");
  EXPECT_EQ(table.find("split")->get(), "1024");
  EXPECT_EQ(table.find("limit")->get(), "120");
  table.find("tensor-type")->clear();
  EXPECT_TRUE(patterns.empty());
}

TEST(OptionTable, RefusesNumbersOutOfRange) {
  std::int64_t lanes = 4;
  OptionTable table;
  table.integer("lanes", 0, "N", lanes, 1, 8, "");
  EXPECT_EQ(error_of<UsageError>([&] { table.find("lanes")->set("9"); }).why(),
            "'9' is not a whole number from 1 to 8");
  EXPECT_EQ(lanes, 4);
}

TEST(OptionTable, PutsOptionsUnderTheGroupDeclaredLast) {
  bool value = false;
  OptionTable table;
  table.flag("first", 0, value, "");
  table.group("What to make").flag("second", 0, value, "");
  EXPECT_EQ(table.find("first")->group, "Options");
  EXPECT_EQ(table.find("second")->group, "What to make");
}

TEST(OptionTable, RefusesNamesAndLettersDeclaredTwice) {
  bool value = false;
  OptionTable table;
  table.flag("force", 'f', value, "");
  EXPECT_THROW(table.flag("force", 0, value, ""), std::logic_error);
  EXPECT_THROW(table.flag("fast", 'f', value, ""), std::logic_error);
  EXPECT_THROW(table.add({.name = "unbound"}), std::logic_error);
}

TEST(OptionTable, ListsNamesForRecipesApart) {
  bool value = false;
  OptionTable table;
  table.flag("force", 0, value, "");
  table.add({.name = "help", .in_recipes = false, .set = [](const std::string&) {}});
  EXPECT_EQ(table.names(), (std::vector<std::string>{"force", "help"}));
  EXPECT_EQ(table.names(true), (std::vector<std::string>{"force"}));
  EXPECT_EQ(table.find("nothing"), nullptr);
}

}  // namespace
}  // namespace lq::cli
