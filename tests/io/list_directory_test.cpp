#include "common/io/list_directory.h"

#include <gtest/gtest.h>

#include "common/io/atomic_file.h"
#include "common/io/file_status.h"
#include "tests/io/failing_readdir.h"
#include "tests/support/scratch.h"

namespace lq::io {
namespace {

using lq::testing::FailingReaddir;
using lq::testing::ScratchDirectory;

TEST(ListDirectory, GivesAllEntriesSorted) {
  const ScratchDirectory scratch;
  for (const char* name : {"b", ".a", "d/inner"}) scratch.write(name, "");
  std::error_code error = std::make_error_code(std::errc::io_error);
  EXPECT_EQ(list_directory(scratch.path(), error),
            (std::vector{scratch.path() / ".a", scratch.path() / "b", scratch.path() / "d"}));
  EXPECT_FALSE(error);
}

TEST(ListDirectory, TellsWhyADirectoryCannotBeOpened) {
  const ScratchDirectory scratch;
  std::error_code error;
  EXPECT_TRUE(list_directory(scratch.path() / "none", error).empty());
  EXPECT_EQ(error, std::errc::no_such_file_or_directory);
  list_directory(scratch.write("file", ""), error);
  EXPECT_EQ(error, std::errc::not_a_directory);
}

TEST(ListDirectory, TellsWhyADirectoryCannotBeReadToItsEnd) {
  const ScratchDirectory scratch;
  for (const char* name : {"a", "b", "c"}) scratch.write(name, "");
  std::error_code error;
  const FailingReaddir failing;
  EXPECT_LE(list_directory(scratch.path(), error).size(), 2U);
  EXPECT_EQ(error, std::errc::io_error);
}

TEST(ListDirectory, StaleTemporariesThatCannotBeListedAreLeft) {
  const ScratchDirectory scratch;
  for (const char* name : {".x.lq-tmp.1", ".x.lq-tmp.2", ".x.lq-tmp.3"}) scratch.write(name, "");
  const FailingReaddir failing;
  EXPECT_NO_THROW(remove_stale_temporaries(scratch.path() / "x"));
}

}  // namespace
}  // namespace lq::io
