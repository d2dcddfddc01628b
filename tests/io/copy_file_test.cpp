#include "common/io/copy_file.h"

#include <gtest/gtest.h>

#include "common/io/file_status.h"
#include "tests/support/scratch.h"

namespace lq::io {
namespace {

TEST(CopyFile, ReplacesWhatIsThere) {
  const testing::ScratchDirectory scratch;
  const auto from = scratch.write("from", "content"), to = scratch.write("to", "older and longer");
  copy_file(from, to, CopyMethod::kCopy);
  EXPECT_EQ(testing::read_file(to), "content");
  EXPECT_FALSE(same_file(from, to));
  copy_file(from, to, CopyMethod::kLink);
  EXPECT_EQ(testing::read_file(to), "content");
}

TEST(CopyFile, SaysWhatFailed) {
  const testing::ScratchDirectory scratch;
  const auto from = scratch.path() / "none", to = scratch.path() / "to";
  const auto error =
      testing::error_of<base::OutputError>([&] { copy_file(from, to, CopyMethod::kCopy); });
  EXPECT_EQ(std::string(error.what()), "cannot copy " + from.string() + " to " + to.string());
}

}  // namespace
}  // namespace lq::io
