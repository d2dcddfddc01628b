#include "common/io/replace_directory.h"

#include <gtest/gtest.h>

#include "common/io/file_status.h"
#include "common/io/output_error.h"
#include "tests/support/scratch.h"

namespace lq::io {
namespace {

using lq::testing::read_file;
using lq::testing::ScratchDirectory;

TEST(ReplaceDirectory, TakesAFreePlace) {
  const ScratchDirectory scratch;
  scratch.write("made/f", "new");
  replace_directory(scratch.path() / "made", scratch.path() / "target");
  EXPECT_EQ(read_file(scratch.path() / "target/f"), "new");
  EXPECT_FALSE(file_status(scratch.path() / "made"));
}

TEST(ReplaceDirectory, ReplacesTheOldOneWholeByBothMethods) {
  for (const SwapMethod method : {SwapMethod::kExchange, SwapMethod::kMoveAside}) {
    const ScratchDirectory scratch;
    scratch.write("made/f", "new");
    scratch.write("target/f", "old");
    scratch.write("target/only-old", "old");
    scratch.write("target.lq-old/left", "by a kill");
    replace_directory(scratch.path() / "made", scratch.path() / "target", method);
    EXPECT_EQ(read_file(scratch.path() / "target/f"), "new");
    EXPECT_FALSE(file_status(scratch.path() / "target/only-old"));
    EXPECT_FALSE(file_status(scratch.path() / "made"));
    EXPECT_FALSE(file_status(moved_aside(scratch.path() / "target")));
  }
}

TEST(ReplaceDirectory, MissingSourceIsAnOutputError) {
  const ScratchDirectory scratch;
  EXPECT_THROW(replace_directory(scratch.path() / "none", scratch.path() / "target"),
               base::OutputError);
}

}  // namespace
}  // namespace lq::io
