#include "common/gguf/metadata.h"

#include <gtest/gtest.h>

namespace lq::gguf {
namespace {

std::string keys(const Metadata& metadata) {
  std::string joined;
  for (const auto& [key, value] : metadata.entries()) joined += key;
  return joined;
}

TEST(GgufMetadata, KeepsTheOrderInWhichKeysAreSet) {
  Metadata metadata;
  metadata.set("b", std::uint32_t{1});
  metadata.set("a", std::string("x"));
  metadata.set("c", true);
  metadata.set("b", std::uint32_t{2});
  EXPECT_EQ(keys(metadata), "bac");
  EXPECT_EQ(*metadata.get<std::uint32_t>("b"), 2U);
}

TEST(GgufMetadata, AValueOfAnotherTypeIsNotGot) {
  Metadata metadata;
  metadata.set("a", std::uint32_t{1});
  EXPECT_EQ(metadata.get<std::int32_t>("a"), nullptr);
  EXPECT_EQ(metadata.get<std::uint32_t>("b"), nullptr);
  EXPECT_NE(metadata.find("a"), nullptr);
}

TEST(GgufMetadata, KeysAreStillFoundAfterOneIsErased) {
  Metadata metadata;
  for (const char* key : {"a", "b", "c", "d"}) metadata.set(key, std::string(key));
  EXPECT_TRUE(metadata.erase("b"));
  EXPECT_FALSE(metadata.erase("b"));
  EXPECT_EQ(keys(metadata), "acd");
  for (const char* key : {"a", "c", "d"}) EXPECT_EQ(*metadata.get<std::string>(key), key);
  metadata.set("d", std::string("new"));
  metadata.set("b", std::string("last"));
  EXPECT_EQ(keys(metadata), "acdb");
}

}  // namespace
}  // namespace lq::gguf
