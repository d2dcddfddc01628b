#include "common/io/file_status.h"

#include <gtest/gtest.h>

#include "common/io/output_error.h"
#include "tests/support/scratch.h"

namespace lq::io {
namespace {

using lq::testing::error_of;
using lq::testing::ScratchDirectory;

TEST(FileStatus, TellsSizeTimeAndKind) {
  const ScratchDirectory scratch;
  const auto path = scratch.write("x", "12345");
  set_mtime(path, 1'234'567'890'123'456'789);
  const auto status = file_status(path);
  EXPECT_EQ(status->size, 5U);
  EXPECT_EQ(status->mtime_ns, 1'234'567'890'123'456'789);
  EXPECT_TRUE(status->is_regular);
  EXPECT_TRUE(file_status(scratch.path())->is_directory);
  EXPECT_FALSE(file_status(scratch.path() / "none"));
  EXPECT_FALSE(file_status(-1));
}

TEST(FileStatus, KnowsTheSameFileUnderTwoNames) {
  const ScratchDirectory scratch;
  const auto path = scratch.write("x", "");
  std::filesystem::create_hard_link(path, scratch.path() / "y");
  std::filesystem::create_symlink(path, scratch.path() / "z");
  EXPECT_TRUE(same_file(path, scratch.path() / "y"));
  EXPECT_TRUE(same_file(path, scratch.path() / "z"));
  EXPECT_FALSE(same_file(path, scratch.write("other", "")));
  EXPECT_FALSE(same_file(path, scratch.path() / "none"));
}

TEST(FileStatus, KnowsWhatLiesInsideADirectory) {
  const ScratchDirectory scratch;
  EXPECT_TRUE(is_inside("/a/b/c", "/a/b"));
  EXPECT_TRUE(is_inside("/a/b", "/a/b/"));
  EXPECT_TRUE(is_inside("/a/x/../b/c", "/a/b"));
  EXPECT_FALSE(is_inside("/a/bc", "/a/b"));
  EXPECT_FALSE(is_inside("/a", "/a/b"));
  EXPECT_TRUE(is_inside("none/x", std::filesystem::current_path() / "none"));
}

TEST(FileStatus, FreeSpaceIsThatOfTheFileSystem) {
  EXPECT_GT(free_space("/").value_or(0), 0U);
  EXPECT_FALSE(free_space("/no/such"));
}

TEST(FileStatus, DirectoryOfABareNameIsHere) {
  EXPECT_EQ(directory_of("x"), ".");
  EXPECT_EQ(directory_of("/a/x"), "/a");
}

TEST(FileStatus, FailuresAreOutputErrors) {
  EXPECT_STREQ(error_of<base::OutputError>([] { sync_directory("/no/such"); }).what(),
               "cannot sync /no/such");
  EXPECT_STREQ(error_of<base::OutputError>([] { set_mtime("/no/such", 1); }).what(),
               "cannot set the time of /no/such");
}

}  // namespace
}  // namespace lq::io
