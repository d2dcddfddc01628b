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

}  // namespace
}  // namespace lq::gguf
