#include "common/io/xxh3.h"

#include <gtest/gtest.h>
#include <string_view>
#include <vector>

namespace lq::io {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Xxh3, GivesTheValuesOfItsReference) {
  EXPECT_EQ(xxh3_hex({}), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(xxh3_hex(bytes_of("a")), "a96faf705af16834e6c632b61e964e1f");
}

TEST(Xxh3, IsTheSameHoweverTheBytesAreCut) {
  std::vector<std::byte> bytes(3'000'001);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i >> 3);
  Xxh3 hash;
  hash.update(std::span(bytes).first(1));
  hash.update(std::span(bytes).subspan(1, 1'500'000));
  hash.update(std::span(bytes).subspan(1'500'001));
  EXPECT_EQ(hash.hex(), xxh3_hex(bytes));
  bytes.back() ^= std::byte{1};
  EXPECT_NE(hash.hex(), xxh3_hex(bytes));
}

}  // namespace
}  // namespace lq::io
