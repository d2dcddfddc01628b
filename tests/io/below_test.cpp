#include "common/io/below.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::io {
namespace {

namespace fs = std::filesystem;

TEST(MakeParentsBelow, MakesTheFoldersAndNotTheFile) {
  const testing::ScratchDirectory scratch;
  const fs::path file = make_parents_below(scratch.path() / "root", "a/b/c.txt");
  EXPECT_EQ(file, scratch.path() / "root/a/b/c.txt");
  EXPECT_TRUE(fs::is_directory(file.parent_path()));
  EXPECT_FALSE(fs::exists(file));
  EXPECT_EQ(make_parents_below(scratch.path() / "root", "d"), scratch.path() / "root/d");
}

TEST(MakeParentsBelow, GoesThroughNoLinkAndNoFile) {
  const testing::ScratchDirectory scratch;
  fs::create_directory(scratch.path() / "elsewhere");
  fs::create_directory_symlink("elsewhere", scratch.path() / "link");
  const auto link =
      testing::error_of<base::OutputError>([&] { make_parents_below(scratch.path(), "link/x"); });
  EXPECT_EQ(std::string(link.what()), "cannot write below " + (scratch.path() / "link").string());
  EXPECT_EQ(link.why(), "it is a link, which could lead elsewhere");
  EXPECT_EQ(link.fix(), "remove it (rm " + (scratch.path() / "link").string() +
                            "), or choose another directory");
  scratch.write("file", "");
  const auto file =
      testing::error_of<base::OutputError>([&] { make_parents_below(scratch.path(), "file/x"); });
  EXPECT_EQ(std::string(file.what()),
            "cannot make the folder " + (scratch.path() / "file").string());
  EXPECT_THROW(make_parents_below(scratch.path() / "file", "x"), base::OutputError);
}

TEST(MakeParentsBelow, NamesAFolderThatCannotBeLookedAt) {
  const testing::ScratchDirectory scratch;
  const std::string name(300, 'n');
  const auto error = testing::error_of<base::OutputError>(
      [&] { make_parents_below(scratch.path(), fs::path(name) / "x"); });
  EXPECT_EQ(std::string(error.what()),
            "cannot make the folder " + (scratch.path() / name).string());
  fs::create_symlink("loop", scratch.path() / "loop");
  EXPECT_THROW(make_parents_below(scratch.path(), "loop/x"), base::OutputError);
}

}  // namespace
}  // namespace lq::io
