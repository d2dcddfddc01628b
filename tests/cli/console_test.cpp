#include "common/cli/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace lq::cli {
namespace {

TEST(Console, ErasesTheStatusLineBeforeALine) {
  std::string screen;
  {
    Console console([&](std::string_view text) { screen += text; });
    console.print("first");
    console.draw("[==  ]");
    console.draw("[=== ]");
    console.print("second");
    console.print("third");
  }
  EXPECT_EQ(screen, "first\n\r[==  ]\r[=== ]\r      \rsecond\nthird\n");
}

TEST(Console, OverwritesALongerStatusLine) {
  std::string screen;
  Console console([&](std::string_view text) { screen += text; });
  console.draw("long status");
  screen.clear();
  console.draw("short");
  EXPECT_EQ(screen, "\rshort      \rshort");
}

TEST(Console, LeavesNothingBehind) {
  std::string screen;
  {
    Console console([&](std::string_view text) { screen += text; });
    console.draw("abc");
  }
  EXPECT_EQ(screen, "\rabc\r   \r");
}

TEST(Console, DrawsWithCarriageReturnsOnly) {
  std::string screen;
  Console console([&](std::string_view text) { screen += text; });
  console.draw("abc");
  console.draw("d");
  console.erase();
  EXPECT_EQ(screen.find('\x1b'), std::string::npos);
}

TEST(DescriptorWriter, IgnoresAClosedDescriptor) { EXPECT_NO_THROW(descriptor_writer(-1)("x")); }

class TerminalFactsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) {
      GTEST_SKIP() << "no pseudo-terminals here";
    }
    terminal_ = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
  }
  void TearDown() override {
    ::close(terminal_);
    ::close(master_);
  }
  int master_ = -1, terminal_ = -1;
};

TEST_F(TerminalFactsTest, DrawAndColourOnATerminal) {
  const TerminalFacts facts = terminal_facts(terminal_, base::Environment({{"TERM", "xterm"}}));
  EXPECT_TRUE(facts.is_terminal);
  EXPECT_TRUE(facts.redraws);
  EXPECT_TRUE(facts.colour);
  EXPECT_EQ(facts.columns, 80);
}

TEST_F(TerminalFactsTest, DoNotDrawInContinuousIntegrationOrOnADumbTerminal) {
  EXPECT_FALSE(terminal_facts(terminal_, base::Environment({{"CI", "true"}})).redraws);
  EXPECT_FALSE(terminal_facts(terminal_, base::Environment({{"TERM", "dumb"}})).redraws);
  EXPECT_FALSE(terminal_facts(terminal_, base::Environment({{"TERM", "dumb"}})).colour);
}

TEST_F(TerminalFactsTest, RespectNoColor) {
  EXPECT_FALSE(terminal_facts(terminal_, base::Environment({{"NO_COLOR", "1"}})).colour);
  EXPECT_TRUE(terminal_facts(terminal_, base::Environment({{"NO_COLOR", ""}})).colour);
}

TEST(TerminalFacts, AreBareInAPipeUnlessColourIsForced) {
  const int fd = ::open("/dev/null", O_WRONLY);
  const TerminalFacts plain = terminal_facts(fd, base::Environment());
  EXPECT_FALSE(plain.is_terminal || plain.redraws || plain.colour);
  EXPECT_TRUE(terminal_facts(fd, base::Environment({{"CLICOLOR_FORCE", "1"}})).colour);
  EXPECT_FALSE(terminal_facts(fd, base::Environment({{"CLICOLOR_FORCE", "0"}})).colour);
  ::close(fd);
}

}  // namespace
}  // namespace lq::cli
