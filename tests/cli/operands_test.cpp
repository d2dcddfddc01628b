#include "common/cli/operands.h"

#include <array>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/cli/toy_tool.h"
#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using base::ModelNotFoundError;
using base::UsageError;
using testing::error_of;
using Words = std::vector<std::string>;

/// expand_operands with `text` on the descriptor.
Words expanded(const Words& operands, const std::string& text, bool null_terminated = false) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  const struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{ends[0]};
  return expand_operands(operands, null_terminated, ends[0]);
}

TEST(CheckOperandCount, ExplainsHowToNameOne) {
  const UsageError error = error_of<UsageError>([] { check_operand_count(ToyTool().spec(), {}); });
  EXPECT_STREQ(error.what(), "no MODEL was given");
  EXPECT_EQ(error.why(), "usage: lq-toy [OPTION]... MODEL");
  EXPECT_EQ(error.fix(), "name it, for example: lq-toy my-model; lq-toy --help lists the options");
}

TEST(CheckOperandCount, NamesTheFirstOneTooMany) {
  const UsageError error = error_of<UsageError>([] {
    check_operand_count(ToyTool().spec(), {"a", "b", "c"});
  });
  EXPECT_STREQ(error.what(), "too many operands: b");
  EXPECT_EQ(error.why(), "lq-toy takes 1 and 3 were given");
  EXPECT_NO_THROW(check_operand_count(ToyTool().spec(), {"a"}));
}

TEST(ExpandOperands, LeavesPathsAlone) { EXPECT_EQ(expanded({"a", "b"}, ""), (Words{"a", "b"})); }

TEST(ExpandOperands, ReadsAPathEndedByNewlineNulOrNothing) {
  const std::string nul("/a b\0", 5);
  for (const std::string& text : {std::string("/a b\n"), std::string("/a b"), nul}) {
    EXPECT_EQ(expanded({"-"}, text), (Words{"/a b"}));
  }
}

TEST(ExpandOperands, ReadsSeveralPaths) {
  EXPECT_EQ(expanded({"x", "-"}, "/a\n/b\n"), (Words{"x", "/a", "/b"}));
}

TEST(ExpandOperands, KeepsNewlinesWhenOnlyNulEndsAPath) {
  EXPECT_EQ(expanded({"-"}, std::string("/a\nb\0/c\0", 8), true), (Words{"/a\nb", "/c"}));
}

TEST(ExpandOperands, RefusesAnEmptyStream) {
  for (const char* text : {"", "\n"}) {
    const auto error = error_of<ModelNotFoundError>([&] { expanded({"-"}, text); });
    EXPECT_STREQ(error.what(), "no path came from standard input");
    EXPECT_EQ(error.why(), "the stage before produced no path: it failed");
    EXPECT_EQ(error.fix(), "look at its message above, or run it by itself");
  }
}

TEST(ExpandOperands, RefusesAStreamThatCannotBeRead) {
  const auto error = error_of<ModelNotFoundError>([] { expand_operands({"-"}, false, -1); });
  EXPECT_STREQ(error.what(), "cannot read a path from standard input");
  EXPECT_EQ(error.why(), "Bad file descriptor");
}

TEST(ExpandOperands, RefusesADashGivenTwice) {
  EXPECT_EQ(error_of<UsageError>([] {
              expanded({"-", "-"}, "/a\n");
            }).why(),
            "'-' was given more than once");
}

}  // namespace
}  // namespace lq::cli
