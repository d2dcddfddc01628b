#include "common/cli/settings.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using base::UsageError;
using testing::error_of;

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() {
    table_.flag("force", 'f', force_, "")
        .list("type", 't', "TYPE", types_, "")
        .text("output", 'o', "PATH", output_, "")
        .text("progress", 0, "WHEN", progress_, "", {"auto", "never"});
    table_.add({.name = "loud", .counts_as = "progress", .set = [this](const std::string&) {
                  progress_ = "auto";
                }});
  }
  void apply(const std::string& name, const std::string& value, const std::string& origin) {
    settings_.apply(std::vector<Assignment>{{table_.find(name), value, origin}});
  }

  bool force_ = false;
  std::string output_, progress_ = "never";
  std::vector<std::string> types_ = {"F16"};
  OptionTable table_;
  Settings settings_;
};

TEST_F(SettingsTest, KeepTheValueAppliedLastAndItsOrigin) {
  EXPECT_EQ(settings_.origin(*table_.find("output")), "built-in");
  apply("output", "a", "recipe.yaml:3");
  apply("output", "b", "LQ_OUTPUT");
  EXPECT_EQ(output_, "b");
  EXPECT_EQ(settings_.origin(*table_.find("output")), "LQ_OUTPUT");
}

TEST_F(SettingsTest, ReplaceListsSourceBySource) {
  const Option* type = table_.find("type");
  settings_.apply(std::vector<Assignment>{{type, "Q8_0", "a"}, {type, "Q6_K", "a"}});
  EXPECT_EQ(types_, (std::vector<std::string>{"Q8_0", "Q6_K"}));
  apply("type", "F32", kCommandLine);
  EXPECT_EQ(types_, (std::vector<std::string>{"F32"}));
}

TEST_F(SettingsTest, TakeAFlagBack) {
  apply("force", "yes", "recipe.yaml:1");
  EXPECT_TRUE(force_);
  apply("force", "false", kCommandLine);
  EXPECT_FALSE(force_);
}

TEST_F(SettingsTest, CreditTheOptionThatReallyChanges) {
  apply("loud", "true", kCommandLine);
  EXPECT_EQ(settings_.origin(*table_.find("progress")), kCommandLine);
}

TEST_F(SettingsTest, NameOptionValueAndOriginOfABadValue) {
  const UsageError typed = error_of<UsageError>([&] { apply("progress", "nevr", kCommandLine); });
  EXPECT_STREQ(typed.what(), "cannot use --progress nevr");
  EXPECT_EQ(typed.why(), "'nevr' is not one of auto, never");
  EXPECT_EQ(typed.fix(), "did you mean never?");
  EXPECT_STREQ(error_of<UsageError>([&] { apply("progress", "nevr", "/etc/x.yaml:7"); }).what(),
               "cannot use --progress nevr (/etc/x.yaml:7)");
  EXPECT_STREQ(error_of<UsageError>([&] { apply("force", "perhaps", "LQ_FORCE"); }).what(),
               "cannot use --force=perhaps (LQ_FORCE)");
}

TEST_F(SettingsTest, SpellChoicesAsTheTableDoes) {
  apply("progress", "AUTO", kCommandLine);
  EXPECT_EQ(progress_, "auto");
}

TEST_F(SettingsTest, ReadVariablesThatNameAnOption) {
  EXPECT_EQ(variable_name("tensor-type"), "LQ_TENSOR_TYPE");
  const base::Environment environment(
      {{"LQ_OUTPUT", "x"}, {"LQ_TYPE", "F16\nF32"}, {"LQ_SIMD", "scalar"}, {"LQ_FORCE", ""}});
  const std::vector<Assignment> found = environment_assignments(table_, environment);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].option->name + "=" + found[0].value, "type=F16");
  EXPECT_EQ(found[1].option->name + "=" + found[1].value, "type=F32");
  EXPECT_EQ(found[2].option->name + "=" + found[2].value, "output=x");
  EXPECT_EQ(found[2].origin, "LQ_OUTPUT");
}

TEST_F(SettingsTest, ArePrintedAsARecipeWithTheirOrigins) {
  apply("type", "Q4_K_M", "LQ_TYPE");
  apply("progress", "auto", kCommandLine);
  EXPECT_EQ(print_settings("lq-toy", table_, settings_),
            "lq-toy:\n"
            "  force: false                           # built-in\n"
            "  type: [Q4_K_M]                         # LQ_TYPE\n"
            "  # output:                              # not set\n"
            "  progress: auto                         # command line\n");
  apply("output", "my model: {type}", kCommandLine);
  EXPECT_NE(print_settings("lq-toy", table_, settings_).find("output: \"my model: {type}\""),
            std::string::npos);
}

TEST_F(SettingsTest, ArePrintedAsJson) {
  apply("output", "x", kCommandLine);
  EXPECT_EQ(settings_json(table_, settings_).dump(),
            R"({"force":{"value":"false","source":"built-in"},)"
            R"("type":{"value":["F16"],"source":"built-in"},)"
            R"("output":{"value":"x","source":"command line"},)"
            R"("progress":{"value":"never","source":"built-in"}})");
}

}  // namespace
}  // namespace lq::cli
