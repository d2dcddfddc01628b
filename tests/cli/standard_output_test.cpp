#include "common/cli/standard_output.h"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

TEST(WriteResult, WritesEverything) {
  const testing::ScratchDirectory scratch;
  const int fd = ::open((scratch.path() / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  write_result(fd, std::string(1 << 20, 'x'));
  ::close(fd);
  EXPECT_EQ(testing::read_file(scratch.path() / "out").size(), std::size_t{1} << 20U);
}

TEST(WriteResult, ReportsAFullDisk) {
  const int fd = ::open("/dev/full", O_WRONLY);
  const auto error = testing::error_of<base::OutputError>([&] { write_result(fd, "x"); });
  ::close(fd);
  EXPECT_STREQ(error.what(), "cannot write the result to standard output");
  EXPECT_EQ(error.why(), "No space left on device");
}

TEST(WriteResult, ReportsAClosedDescriptor) {
  EXPECT_EQ(testing::error_of<base::OutputError>([] { write_result(-1, "x"); }).why(),
            "Bad file descriptor");
}

TEST(WriteResult, TellsAReaderThatWentAwayApart) {
  ::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  EXPECT_THROW(write_result(ends[1], "x"), ReaderGone);
  ::close(ends[1]);
}

TEST(KeepStandardDescriptors, FillsTheGapsAndRemembersStandardOutput) {
  EXPECT_FALSE(keep_standard_descriptors());
  const int saved = ::dup(STDOUT_FILENO);
  ::close(STDOUT_FILENO);
  const bool closed = keep_standard_descriptors();
  const bool open_again = ::fcntl(STDOUT_FILENO, F_GETFD) != -1;
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  EXPECT_TRUE(closed);
  EXPECT_TRUE(open_again);
}

}  // namespace
}  // namespace lq::cli
