#include "common/io/safe_path.h"

#include <gtest/gtest.h>

namespace lq::io {
namespace {

std::string problem(std::string_view path) { return path_problem(path).value_or("none"); }

TEST(SafePath, OrdinaryNamesAreSafe) {
  for (const char* path : {"model.safetensors", "a/b/c.json", "model-00001-of-00002.safetensors",
                           "..a", "a..", ".gitattributes", "a/.git", "größe.bin", "C/x"}) {
    EXPECT_EQ(problem(path), "none") << path;
  }
}

TEST(SafePath, EachWayOutOfTheDirectoryIsRefused) {
  EXPECT_EQ(problem(""), "is empty");
  EXPECT_EQ(problem("/etc/passwd"), "is absolute");
  EXPECT_EQ(problem("../x"), "has the segment `..`");
  EXPECT_EQ(problem("a/../x"), "has the segment `..`");
  EXPECT_EQ(problem("a/.."), "has the segment `..`");
  EXPECT_EQ(problem("./a"), "has the segment `.`");
  EXPECT_EQ(problem("a//b"), "has an empty segment");
  EXPECT_EQ(problem("a/"), "has an empty segment");
  EXPECT_EQ(problem("a\\b"), "has a backslash");
  EXPECT_EQ(problem("C:/x"), "starts a segment with a drive letter");
  EXPECT_EQ(problem("a/d:x"), "starts a segment with a drive letter");
  EXPECT_EQ(problem(".git/config"), "lies below `.git`");
  EXPECT_EQ(problem(".Git/config"), "lies below `.Git`");
  EXPECT_EQ(problem(".cache"), "lies below `.cache`");
  EXPECT_EQ(problem(".lq/x"), "lies below `.lq`");
}

TEST(SafePath, BytesThatAreNoTextAreRefused) {
  const std::string expected = "has control characters or invalid UTF-8";
  EXPECT_EQ(problem(std::string_view("a\0b", 3)), expected);
  EXPECT_EQ(problem("a\nb"), expected);
  EXPECT_EQ(problem("a\x7F"), expected);
  EXPECT_EQ(problem("a\xFF"), expected);
}

TEST(SafePath, LengthsAreBounded) {
  EXPECT_EQ(problem(std::string(255, 'a')), "none");
  EXPECT_EQ(problem(std::string(256, 'a')), "has a segment of more than 255 bytes");
  std::string path;
  for (int i = 0; i < 512; ++i) path += "a/";
  EXPECT_EQ(problem(path + "b"), "has more than 1024 bytes");
}

}  // namespace
}  // namespace lq::io
