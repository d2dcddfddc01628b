#include "common/cli/tool_options.h"

#include <gtest/gtest.h>

#include "tests/cli/toy_tool.h"
#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using base::UsageError;
using testing::error_of;

class ToolOptionsTest : public ::testing::Test {
 protected:
  /// XDG directories that hold nothing but what a test writes.
  base::Environment environment(const std::string& variable = "LQ_NOTHING",
                                const std::string& value = "") const {
    return base::Environment({{"XDG_CONFIG_DIRS", (scratch_.path() / "etc").string()},
                              {"XDG_CONFIG_HOME", (scratch_.path() / "home").string()},
                              {variable, value}});
  }
  std::string colour_and_origin(const base::Environment& environment,
                                const std::vector<std::string>& arguments) {
    ToyTool tool;
    ToolOptions options(tool, environment);
    std::vector<std::string> argv = {"lq-toy"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    options.parse(argv);
    options.settle();
    std::string origin = options.settings().origin(*options.table().find("colour"));
    const std::string scratch = scratch_.path().string();
    if (origin.rfind(scratch, 0) == 0) origin = origin.substr(scratch.size() + 1);
    return tool.colour + " from " + origin;
  }

  testing::ScratchDirectory scratch_;
};

TEST_F(ToolOptionsTest, LetStrongerSourcesWin) {
  const auto recipe = [](const char* colour) {
    return std::string("lq-toy:\n  colour: ") + colour + "\n";
  };
  EXPECT_EQ(colour_and_origin(environment(), {}), "red from built-in");
  scratch_.write("etc/lq/config.yaml", recipe("green"));
  EXPECT_EQ(colour_and_origin(environment(), {}), "green from etc/lq/config.yaml:2");
  scratch_.write("home/lq/config.yaml", recipe("blue"));
  EXPECT_EQ(colour_and_origin(environment(), {}), "blue from home/lq/config.yaml:2");
  const std::string named = scratch_.write("named.yaml", recipe("red")).string();
  EXPECT_EQ(colour_and_origin(environment("LQ_CONFIG", named), {}), "red from named.yaml:2");
  EXPECT_EQ(colour_and_origin(environment(), {"--config", named}), "red from named.yaml:2");
  EXPECT_EQ(colour_and_origin(environment("LQ_CONFIG", "/nonexistent"), {"--config", named}),
            "red from named.yaml:2");
  EXPECT_EQ(colour_and_origin(environment("LQ_COLOUR", "green"), {"--config", named}),
            "green from LQ_COLOUR");
  EXPECT_EQ(colour_and_origin(environment("LQ_COLOUR", "green"), {"-cBLUE"}),
            "blue from command line");
}

TEST_F(ToolOptionsTest, RefuseANamedRecipeThatIsMissing) {
  EXPECT_STREQ(error_of<UsageError>([&] {
                 colour_and_origin(environment("LQ_CONFIG", "/nonexistent"), {});
               }).what(),
               "cannot read config file /nonexistent");
}

TEST_F(ToolOptionsTest, NameVariableAndFileOfABadValue) {
  const UsageError variable =
      error_of<UsageError>([&] { colour_and_origin(environment("LQ_COLOUR", "bleu"), {}); });
  EXPECT_STREQ(variable.what(), "cannot use --colour bleu (LQ_COLOUR)");
  EXPECT_EQ(variable.fix(), "did you mean blue?");
}

TEST_F(ToolOptionsTest, InformEvenWhenARecipeIsBroken) {
  scratch_.write("home/lq/config.yaml", "lq-toy: [");
  const base::Environment environment = this->environment();
  const auto information = [&](const std::vector<std::string>& argv) {
    ToyTool tool;
    ToolOptions options(tool, environment);
    options.parse(argv);
    return options.information();
  };
  EXPECT_EQ(information({"lq-toy", "--help"})->rfind("Usage: lq-toy", 0), 0U);
  EXPECT_EQ(information({"lq-toy", "-V"})->find("compiler:"), std::string::npos);
  EXPECT_NE(information({"lq-toy", "-V", "-v"})->find("compiler:"), std::string::npos);
  EXPECT_EQ(information({"lq-toy", "--completion", "FISH"})->rfind("# fish", 0), 0U);
  EXPECT_EQ(information({"lq-toy", "model"}), std::nullopt);
  EXPECT_EQ(error_of<UsageError>([&] {
              information({"lq-toy", "--completion", "csh"});
            }).fix(),
            "did you mean zsh?");
}

TEST_F(ToolOptionsTest, KnowAboutJsonBeforeAnythingElse) {
  const auto wants = [&](const std::vector<std::string>& argv,
                         const base::Environment& environment) {
    ToyTool tool;
    ToolOptions options(tool, environment);
    EXPECT_THROW(options.parse(argv), UsageError);
    return options.wants_json();
  };
  EXPECT_TRUE(wants({"lq-toy", "--nonsense", "--json"}, environment()));
  EXPECT_FALSE(wants({"lq-toy", "--nonsense", "--", "--json"}, environment()));
  EXPECT_TRUE(wants({"lq-toy", "--nonsense"}, environment("LQ_JSON", "1")));
}

TEST_F(ToolOptionsTest, PrintAConfigurationThatCanBeReadAgain) {
  ToyTool tool;
  const base::Environment environment = this->environment("LQ_PART", "arm=2\nleg=3");
  ToolOptions options(tool, environment);
  options.parse({"lq-toy", "--memory", "4G", "--wait", "--shard=1/2", "-qq"});
  options.settle();
  const std::string printed = options.print_config();
  EXPECT_NE(printed.find("  part: [\"arm=2\", \"leg=3\"]"), std::string::npos) << printed;
  EXPECT_NE(printed.find("  verbosity: errors                      # command line"),
            std::string::npos)
      << printed;
  const std::string file = scratch_.write("printed.yaml", printed).string();
  ToyTool again;
  const base::Environment bare = this->environment();
  ToolOptions copy(again, bare);
  copy.parse({"lq-toy", "--config", file});
  copy.settle();
  EXPECT_EQ(again.parts, tool.parts);
  EXPECT_EQ(copy.common().stage.memory_limit, 4ULL << 30U);
  EXPECT_EQ(copy.common().stage.wait_seconds, options.common().stage.wait_seconds);
  EXPECT_EQ(copy.common().stage.shard->count, 2);
  EXPECT_EQ(copy.session().verbosity, kErrorsOnly);
}

}  // namespace
}  // namespace lq::cli
