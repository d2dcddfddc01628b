#include "common/io/digest.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "tests/support/scratch.h"

namespace lq::io {
namespace {

// FIPS 180-2, appendix B.
TEST(Digest, Sha256GivesTheStandardsExamples) {
  Digest hash(Digest::Algorithm::kSha256);
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, Sha1GivesTheNameThatGitGivesToABlob) {
  Digest hash(Digest::Algorithm::kSha1);
  hash.update(std::string_view("blob 6\0hello\n", 13));
  EXPECT_EQ(hash.hex(), "ce013625030ba8dba906f756967f9e9ca394464a");
}

TEST(Digest, SaysThatOpenSslDoesNotOfferTheAlgorithm) {
  // Asks for a provider that this machine does not load.
  ASSERT_EQ(EVP_set_default_properties(nullptr, "provider=none"), 1);
  const auto error =
      testing::error_of<base::ConversionError>([] { Digest hash(Digest::Algorithm::kSha1); });
  ASSERT_EQ(EVP_set_default_properties(nullptr, ""), 1);
  EXPECT_STREQ(error.what(), "cannot compute a hash");
  EXPECT_EQ(error.why().find("OpenSSL says error:"), 0U) << error.why();
  EXPECT_EQ(
      error.fix(),
      "let OpenSSL offer SHA-1 and SHA-256: see its openssl.cnf, which OPENSSL_CONF can name");
  EXPECT_EQ(sha256_hex({}).size(), 64U) << "and it does again";
}

}  // namespace
}  // namespace lq::io
