#include "common/io/copy_file.h"

#include <gtest/gtest.h>
#include <stdexcept>

#include "common/io/file_status.h"
#include "tests/support/scratch.h"

namespace lq::io {
namespace {

namespace fs = std::filesystem;

TEST(CopyFile, ReplacesWhatIsThere) {
  const testing::ScratchDirectory scratch;
  const auto from = scratch.write("from", "content"), to = scratch.write("to", "older and longer");
  copy_file(from, to, CopyMethod::kCopy);
  EXPECT_EQ(testing::read_file(to), "content");
  EXPECT_FALSE(same_file(from, to));
  copy_file(from, to, CopyMethod::kLink);
  EXPECT_EQ(testing::read_file(to), "content");
}

TEST(CopyFile, TheCopyOfAReadOnlyFileCanBeWritten) {
  const testing::ScratchDirectory scratch;
  const auto from = scratch.write("from", "content"), to = scratch.path() / "to";
  fs::permissions(from, fs::perms::owner_read);
  copy_file(from, to, CopyMethod::kCopy);
  EXPECT_NE(fs::status(to).permissions() & fs::perms::owner_write, fs::perms::none);
  copy_file(from, to, CopyMethod::kLink);
  EXPECT_EQ(testing::read_file(to), "content");
}

TEST(CopyFile, CopiesWhatFillsPiecesOrNothing) {
  const testing::ScratchDirectory scratch;
  for (const std::size_t size : {0, 1, 4 << 20, (4 << 20) + 1, 9'000'000}) {
    const std::string bytes(size, 'x');
    const auto to = scratch.path() / "to";
    copy_file(scratch.write("from", bytes), to, CopyMethod::kCopy);
    EXPECT_TRUE(testing::read_file(to) == bytes) << size;
  }
}

TEST(CopyFile, StopsBetweenPiecesAndLeavesNothing) {
  const testing::ScratchDirectory scratch;
  const auto from = scratch.write("from", std::string(9'000'000, 'x')), to = scratch.path() / "to";
  int calls = 0;
  const auto stop = [&] {
    if (++calls == 2) throw std::runtime_error("stop");
  };
  try {
    copy_file(from, to, CopyMethod::kCopy, stop);
    GTEST_SKIP() << "no stop was tried: this file system clones";
  } catch (const std::runtime_error&) {
    EXPECT_FALSE(fs::exists(to));
  }
}

TEST(CopyFile, SaysWhatFailed) {
  const testing::ScratchDirectory scratch;
  const auto from = scratch.path() / "none", to = scratch.path() / "to";
  const auto missing =
      testing::error_of<base::ModelNotFoundError>([&] { copy_file(from, to, CopyMethod::kCopy); });
  EXPECT_EQ(std::string(missing.what()), "cannot open " + from.string());
  const auto nowhere = scratch.path() / "no/folder";
  const auto refused = testing::error_of<base::OutputError>(
      [&] { copy_file(scratch.write("from", "x"), nowhere, CopyMethod::kCopy); });
  EXPECT_EQ(std::string(refused.what()), "cannot create " + nowhere.string());
}

}  // namespace
}  // namespace lq::io
