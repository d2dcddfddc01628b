#include "common/cli/completion.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>

#include "tests/cli/toy_tool.h"
#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() {
    tool_.declare(table_);
    declare_common(table_, true, common_, session_, environment_);
  }
  std::string script(const std::string& shell) const {
    return completion_script(shell, tool_.spec(), table_);
  }
  const base::Environment environment_;
  ToyTool tool_;
  CommonOptions common_;
  SessionOptions session_;
  OptionTable table_;
};

TEST_F(CompletionTest, OffersEveryLongOptionInEveryShell) {
  for (const Option& option : table_.options()) {
    EXPECT_NE(script("bash").find("--" + option.name), std::string::npos) << option.name;
    EXPECT_NE(script("zsh").find("--" + option.name), std::string::npos) << option.name;
    EXPECT_NE(script("fish").find("-l " + option.name), std::string::npos) << option.name;
  }
}

TEST_F(CompletionTest, OffersTheChoicesOfAnOption) {
  EXPECT_NE(
      script("bash").find("--colour|-c) mapfile -t COMPREPLY < <(compgen -W 'red green blue'"),
      std::string::npos);
  EXPECT_NE(script("zsh").find("'--colour=[colour of the toy]:COLOUR:(red green blue)'"),
            std::string::npos);
  EXPECT_NE(script("fish").find("-l colour -s c -x -a 'red green blue'"), std::string::npos);
}

/// What bash itself offers for `words`, the last of which is being typed.
std::string completed(const testing::ScratchDirectory& scratch, const std::string& words) {
  const std::string command =
      "cd " + scratch.path().string() + " && bash -c 'source ./script; COMP_WORDS=(" + words +
      "); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _lq_toy; echo \"${COMPREPLY[@]}\"'";
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> block{};
  while (std::fgets(block.data(), static_cast<int>(block.size()), pipe) != nullptr) {
    text += block.data();
  }
  EXPECT_EQ(::pclose(pipe), 0);
  return text;
}

TEST_F(CompletionTest, WorksInBash) {
  const testing::ScratchDirectory scratch;
  scratch.write("script", script("bash"));
  scratch.write("models/config.json", "{}");
  std::string all = " " + completed(scratch, "lq-toy --");
  all.back() = ' ';
  for (const Option& option : table_.options()) {
    EXPECT_NE(all.find(" --" + option.name + " "), std::string::npos) << option.name;
  }
  EXPECT_EQ(completed(scratch, "lq-toy --col"), "--colour\n");
  EXPECT_EQ(completed(scratch, "lq-toy --colour b"), "blue\n");
  EXPECT_EQ(completed(scratch, "lq-toy --colour = g"), "green\n");
  EXPECT_EQ(completed(scratch, "lq-toy --checkpoint-dir mo"), "models\n");
  EXPECT_EQ(completed(scratch, "lq-toy mo"), "models\n");
}

}  // namespace
}  // namespace lq::cli
