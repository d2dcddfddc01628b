#include "common/net/content_hash.h"

#include <gtest/gtest.h>

namespace lq::net {
namespace {

// git hash-object, sha256sum
constexpr const char* kBlobOfHello = "ce013625030ba8dba906f756967f9e9ca394464a";
constexpr const char* kEmptyBlob = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
constexpr const char* kSha256OfHello =
    "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

bool is_right(const RepoFile& file, std::initializer_list<std::string_view> pieces) {
  ContentHash hash(file);
  for (const std::string_view piece : pieces) hash.update(std::as_bytes(std::span(piece)));
  return hash.is_right();
}

TEST(ContentHash, IsGitsNameOfTheBlob) {
  const RepoFile file{"x", 6, kBlobOfHello, "", ""};
  EXPECT_TRUE(is_right(file, {"hello\n"}));
  EXPECT_TRUE(is_right(file, {"he", "", "llo\n"}));
  EXPECT_FALSE(is_right(file, {"hellO\n"}));
  EXPECT_FALSE(is_right(file, {"hello"}));
  EXPECT_FALSE(is_right({"x", 7, kBlobOfHello, "", ""}, {"hello\n"})) << "the size is part of it";
  EXPECT_TRUE(is_right({"x", 0, kEmptyBlob, "", ""}, {}));
}

TEST(ContentHash, IsTheSha256OfALargeFileWhateverItsPointerIsCalled) {
  EXPECT_TRUE(is_right({"x", 6, kEmptyBlob, kSha256OfHello, ""}, {"hello", "\n"}));
  EXPECT_FALSE(is_right({"x", 6, kBlobOfHello, std::string(64, '0'), ""}, {"hello\n"}));
}

TEST(ContentHash, TakesEverythingWhereNoHashIsTold) {
  EXPECT_TRUE(is_right({"x", 6, "", "", ""}, {"anything"}));
}

}  // namespace
}  // namespace lq::net
