#include "common/io/place.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/scratch.h"

namespace lq::io {
namespace {

TEST(Place, TheNearestThatExistsIsTheThingOrAFolderAboveIt) {
  const testing::ScratchDirectory scratch;
  const auto file = scratch.write("a/file", "");
  EXPECT_EQ(nearest_existing(file), file);
  EXPECT_EQ(nearest_existing(scratch.path() / "a/b/c"), scratch.path() / "a");
  EXPECT_EQ(nearest_existing("/no/such/folder"), "/");
  EXPECT_EQ(nearest_existing("no/such/folder"), ".");
}

TEST(Place, IsWritableWhereItOrTheFolderForItIs) {
  const testing::ScratchDirectory scratch;
  EXPECT_EQ(write_problem(scratch.path() / "a/b/c"), 0);
  EXPECT_EQ(write_problem(scratch.write("file", "")), 0);
  using std::filesystem::perms;
  std::filesystem::permissions(scratch.path(), perms::owner_read | perms::owner_exec);
  const bool root = ::geteuid() == 0;  // may write everywhere, so it steps down
  ASSERT_EQ(root ? ::seteuid(65534) : 0, 0);
  const int problem = write_problem(scratch.path() / "a/b/c");
  ASSERT_EQ(root ? ::seteuid(0) : 0, 0);
  std::filesystem::permissions(scratch.path(), perms::owner_all);
  EXPECT_EQ(problem, EACCES);
}

}  // namespace
}  // namespace lq::io
