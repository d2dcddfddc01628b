#include "common/codec/iq_tables.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <string>

#include "common/codec/codec.h"

namespace lq::codec {
namespace {

template <class Table>
std::string hash_of(const Table& table) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(table.data()), 2 * table.size(), digest);
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

TEST(IqTables, HoldThePublishedCodes) {
  EXPECT_EQ(hash_of(kGridIQ2XXS),
            "915952ebc4af8ddba8113583ca1316fc818843f7b825bbf1a25ae1c39bf0e16d");
  EXPECT_EQ(hash_of(kGridIQ2XS),
            "f66435966ca8d64e9e4a6e3c91e64afcf9015e700ec85962f527283ebae207b9");
  EXPECT_EQ(hash_of(kGridIQ2S), "e6e75e121b65e8afa5c1f92b71463cfbe217b83893f438acde22fd5db06a43f7");
  EXPECT_EQ(hash_of(kGridIQ3XXS),
            "c9678803c61b2210fbd8cbbb3f965a835409cd7d88a04d086d236261bd221d11");
  EXPECT_EQ(hash_of(kGridIQ3S), "353274c58dd7d8dc5ee960dc8fc54ff9164eaf2b49206b841cd49415cf393f81");
  EXPECT_EQ(hash_of(kGridIQ1), "e9ffebfc997ad6023063a667c0bf4eedd8ebf7f56b3da399cbc7d1b1f7ea52c6");
}

TEST(IqTables, AscendWithoutRepetition) {
  const auto strictly_ascends = [](const auto& table) {
    return std::ranges::adjacent_find(table, std::ranges::greater_equal()) == table.end();
  };
  EXPECT_TRUE(strictly_ascends(kGridIQ2XXS));
  EXPECT_TRUE(strictly_ascends(kGridIQ2XS));
  EXPECT_TRUE(strictly_ascends(kGridIQ2S));
  EXPECT_TRUE(strictly_ascends(kGridIQ3XXS));
  EXPECT_TRUE(strictly_ascends(kGridIQ3S));
  EXPECT_TRUE(strictly_ascends(kGridIQ1));
}

}  // namespace
}  // namespace lq::codec
