#include "common/io/output_error.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace lq::io {
namespace {

TEST(OutputErrorText, EachErrnoHasItsFix) {
  const auto fix = [](int error_number) {
    return output_error("cannot write", error_number, "/a b/x").fix();
  };
  EXPECT_EQ(fix(ENOSPC), "free space there (df -h '/a b'), or choose another place with -o");
  EXPECT_EQ(fix(EDQUOT),
            "free space within your quota (quota -s), or choose another place with -o");
  EXPECT_EQ(fix(EROFS), "the file system is mounted read-only: choose another place with -o");
  EXPECT_EQ(fix(EACCES), fix(EPERM));
  EXPECT_EQ(fix(EACCES),
            "check who may write there (ls -ld '/a b'), or choose another place with -o");
  EXPECT_EQ(fix(EFBIG).substr(0, 40), "raise the limit (ulimit -f unlimited), o");
  EXPECT_EQ(fix(EIO), "check the disk (dmesg), then run the same command again");
  EXPECT_EQ(fix(ENOENT), "make the directory first: mkdir -p '/a b'");
  EXPECT_EQ(output_error("cannot write", ENOENT, "/proc/x").fix(),
            "no files can be made in that directory: choose another place with -o");
  EXPECT_EQ(fix(ELOOP), "check the path, or choose another place with -o");
}

TEST(OutputErrorText, WhyHasTheErrnoTextAndThePath) {
  EXPECT_EQ(output_error("w", EROFS, "/a\n").why(), "Read-only file system (/a\\x0A)");
}

TEST(ShellQuoted, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(shell_quoted("/a/b-1.gguf"), "/a/b-1.gguf");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted(""), "''");
}

}  // namespace
}  // namespace lq::io
