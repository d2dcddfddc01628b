#include "common/cli/recipe.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using base::UsageError;
using testing::error_of;

class RecipeTest : public ::testing::Test {
 protected:
  RecipeTest() {
    table_.flag("force", 'f', flag_, "")
        .list("type", 't', "TYPE", list_, "")
        .text("output", 'o', "PATH", text_, "");
    table_.add({.name = "wait",
                .value_name = "SEC",
                .optional_value = true,
                .set = [](const std::string&) {}});
    table_.add({.name = "help", .in_recipes = false, .set = [](const std::string&) {}});
  }
  std::vector<Assignment> read(const std::string& text) {
    return read_recipe(scratch_.write("recipe.yaml", text), "lq-toy", table_, {"memory"});
  }
  std::string told(const std::string& text) {
    std::string all;
    for (const Assignment& a : read(text)) all += a.option->name + "=" + a.value + " ";
    return all;
  }
  /// The error with the scratch path taken out.
  std::string what(const UsageError& error) const {
    std::string text = error.what();
    const std::string path = (scratch_.path() / "recipe.yaml").string();
    const std::size_t at = text.find(path);
    return at == std::string::npos ? text : text.replace(at, path.size(), "FILE");
  }

  testing::ScratchDirectory scratch_;
  bool flag_ = false;
  std::string text_;
  std::vector<std::string> list_;
  OptionTable table_;
};

TEST_F(RecipeTest, PutsTheToolsSectionAfterCommon) {
  EXPECT_EQ(told("lq-toy:\n  output: b\ncommon:\n  output: a\n  memory: 4G\n"),
            "output=a output=b ");
}

TEST_F(RecipeTest, ReadsTheNameOfTheOptionNull) {
  table_.flag("null", '0', flag_, "");
  EXPECT_EQ(told("lq-toy:\n  null: true\n"), "null=true ");
}

TEST_F(RecipeTest, TakesListsForRepeatableOptions) {
  EXPECT_EQ(told("lq-toy:\n  type: [Q4_K_M, Q8_0]\n"), "type=Q4_K_M type=Q8_0 ");
  EXPECT_EQ(told("lq-toy:\n  type: F16\n"), "type=F16 ");
}

TEST_F(RecipeTest, TakesTrueAndFalseForAnOptionalValue) {
  EXPECT_EQ(told("lq-toy:\n  wait: true\n"), "wait= ");
  EXPECT_EQ(told("lq-toy:\n  wait: 30\n"), "wait=30 ");
  EXPECT_EQ(told("lq-toy:\n  wait: no\n"), "");
}

TEST_F(RecipeTest, IgnoresOtherToolsAndEmptyFiles) {
  EXPECT_EQ(told("lq-fetch:\n  anything: 1\n"), "");
  EXPECT_EQ(told(""), "");
  EXPECT_EQ(told("lq-toy:\ncommon:\n"), "");
}

TEST_F(RecipeTest, SaysWhereAValueStands) {
  const std::vector<Assignment> found = read("lq-toy:\n  force: yes\n  output: x\n");
  EXPECT_EQ(found.at(1).origin, (scratch_.path() / "recipe.yaml:3").string());
}

TEST_F(RecipeTest, NamesFileLineAndNearestOfAnUnknownKey) {
  const UsageError error = error_of<UsageError>([&] { read("lq-toy:\n  force: 1\n  ouput: x\n"); });
  EXPECT_EQ(what(error), "unknown option 'ouput' in FILE:3");
  EXPECT_EQ(error.why(), "'lq-toy' has no option of that name");
  EXPECT_EQ(error.fix(), "did you mean output?");
  EXPECT_EQ(error_of<UsageError>([&] { read("common:\n  memry: 1\n"); }).fix(),
            "did you mean memory?");
  EXPECT_EQ(error_of<UsageError>([&] { read("lq-toy:\n  zzzzzzz: 1\n"); }).fix(),
            "lq-toy --help lists the options");
}

TEST_F(RecipeTest, KnowsTheOptionsOfOtherToolsInCommonOnly) {
  EXPECT_EQ(told("common:\n  memory: 4G\n"), "");
  EXPECT_EQ(what(error_of<UsageError>([&] { read("lq-toy:\n  memory: 4G\n"); })),
            "unknown option 'memory' in FILE:2");
}

TEST_F(RecipeTest, RefusesWhatBelongsToTheCommandLine) {
  const UsageError error = error_of<UsageError>([&] { read("lq-toy:\n  help: true\n"); });
  EXPECT_EQ(error.why(), "it works on the command line only");
}

TEST_F(RecipeTest, RefusesUnknownSections) {
  const UsageError near = error_of<UsageError>([&] { read("comon:\n  force: 1\n"); });
  EXPECT_EQ(what(near), "unknown section 'comon' in FILE:1");
  EXPECT_EQ(near.fix(), "did you mean common?");
  EXPECT_EQ(error_of<UsageError>([&] { read("output: x\n"); }).fix(),
            "move it below 'common:' or 'lq-toy:'");
  EXPECT_EQ(error_of<UsageError>([&] { read("zzzzzzzzz: x\n"); }).fix(),
            "the sections are common and the names of the tools, such as lq-toy");
}

TEST_F(RecipeTest, RefusesValuesOfAWrongShape) {
  const UsageError list = error_of<UsageError>([&] { read("lq-toy:\n  output: [a, b]\n"); });
  EXPECT_EQ(what(list), "option 'output' has no single value in FILE:2");
  EXPECT_EQ(list.why(), "it is a list or a map");
  EXPECT_EQ(list.fix(), "write 'output: PATH'");
  const UsageError nothing = error_of<UsageError>([&] { read("lq-toy:\n  force:\n"); });
  EXPECT_EQ(nothing.why(), "nothing stands behind it");
  EXPECT_EQ(nothing.fix(), "write 'force: true'");
  EXPECT_EQ(what(error_of<UsageError>([&] { read("- a\n"); })), "no sections in FILE:1");
  EXPECT_EQ(what(error_of<UsageError>([&] { read("lq-toy: 3\n"); })),
            "section 'lq-toy' is no map in FILE:1");
}

TEST_F(RecipeTest, RefusesWhatIsNotYaml) {
  const UsageError error = error_of<UsageError>([&] { read("lq-toy:\n  output: [a\n"); });
  EXPECT_EQ(what(error).rfind("cannot read FILE:", 0), 0U) << what(error);
  EXPECT_EQ(error.why().rfind("it is not YAML: ", 0), 0U) << error.why();
}

TEST_F(RecipeTest, RefusesKeysThatAreNoNames) {
  EXPECT_THROW(read("? [a, b]\n: 1\n"), UsageError);
  EXPECT_THROW(read("lq-toy:\n  ? {a: b}\n  : 1\n"), UsageError);
}

TEST_F(RecipeTest, RefusesAMissingFile) {
  const UsageError error =
      error_of<UsageError>([&] { read_recipe("/nonexistent/lq.yaml", "lq-toy", table_, {}); });
  EXPECT_STREQ(error.what(), "cannot read config file /nonexistent/lq.yaml");
  EXPECT_EQ(error.why(), "No such file or directory");
  EXPECT_EQ(error.fix(), "name a file that exists and can be read");
  EXPECT_EQ(error_of<UsageError>([&] { read_recipe("/", "lq-toy", table_, {}); }).why(),
            "Is a directory");
}

TEST(DefaultRecipes, FollowTheXdgDirectoriesWeakestFirst) {
  using Paths = std::vector<std::filesystem::path>;
  EXPECT_EQ(default_recipes(base::Environment({{"HOME", "/home/me"}})),
            (Paths{"/etc/xdg/lq/config.yaml", "/home/me/.config/lq/config.yaml"}));
  EXPECT_EQ(default_recipes(base::Environment({{"XDG_CONFIG_DIRS", "/first:/second:relative"},
                                               {"XDG_CONFIG_HOME", "/mine"},
                                               {"HOME", "/home/me"}})),
            (Paths{"/second/lq/config.yaml", "/first/lq/config.yaml", "/mine/lq/config.yaml"}));
}

}  // namespace
}  // namespace lq::cli
