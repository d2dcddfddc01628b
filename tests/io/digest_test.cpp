#include "common/io/digest.h"

#include <gtest/gtest.h>

namespace lq::io {
namespace {

// FIPS 180-2, appendix B.
TEST(Sha256, GivesTheStandardsExamples) {
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha1, GivesTheNameThatGitGivesToABlob) {
  Sha1 hash;
  hash.update(std::string_view("blob 6\0hello\n", 13));
  EXPECT_EQ(hash.hex(), "ce013625030ba8dba906f756967f9e9ca394464a");
}

}  // namespace
}  // namespace lq::io
