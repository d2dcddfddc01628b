#include "common/hf/bit_packing.h"

#include <gtest/gtest.h>
#include <random>

namespace lq::hf {
namespace {

using Codes = std::vector<std::uint8_t>;
using Words = std::vector<std::uint32_t>;

Codes repeated(const Codes& codes, std::size_t times) {
  Codes all;
  for (std::size_t i = 0; i < times; ++i) all.insert(all.end(), codes.begin(), codes.end());
  return all;
}

TEST(BitPacking, PutsTheFirstCodeIntoTheLowestBits) {
  EXPECT_EQ(pack(Codes{0, 1, 2, 3, 4, 5, 6, 7}, 1, 8, 4), (Words{0x76543210}));
  EXPECT_EQ(pack(Codes{1, 2, 254, 255}, 1, 4, 8), (Words{0xFFFE0201}));
  EXPECT_EQ(pack(repeated({0, 1, 2, 3}, 4), 1, 16, 2), (Words{0xE4E4E4E4}));
}

TEST(BitPacking, HoldsThreeBitsAsOneStreamAcrossWords) {
  EXPECT_EQ(pack(repeated({1, 6, 3, 0, 5, 2, 7, 4}, 4), 1, 32, 3),
            (Words{0xF19D50F1, 0x50F19D50, 0x9D50F19D}));
  EXPECT_EQ(pack(repeated({0, 1, 2, 3, 4, 5, 6, 7}, 4), 1, 32, 3),
            (Words{0x88FAC688, 0xC688FAC6, 0xFAC688FA}));
}

TEST(BitPacking, PadsEachRowWithZeroBits) {
  EXPECT_EQ(packed_words(11, 3), 2U);
  EXPECT_EQ(packed_words(9, 4), 2U);
  EXPECT_EQ(pack(Codes{1, 2, 3, 4, 5, 6}, 2, 3, 4), (Words{0x321, 0x654}));
  EXPECT_EQ(pack(Codes(11, 7), 1, 11, 3), (Words{0xFFFFFFFF, 1}));
}

/// Of the definition: code i takes the stream bits [bits * i, bits * (i + 1)).
TEST(BitPacking, IsTheStreamOfTheDefinitionAndComesBackAtEveryWidth) {
  std::mt19937 random(5);
  for (const int bits : {2, 3, 4, 8}) {
    for (const std::size_t columns : {1, 31, 32, 33, 100, 256}) {
      const std::size_t rows = 130, row_words = packed_words(columns, bits);
      Codes codes(rows * columns);
      for (std::uint8_t& code : codes) code = static_cast<std::uint8_t>(random() >> (32 - bits));
      Words wanted(rows * row_words);
      for (std::size_t i = 0; i < codes.size(); ++i) {
        for (int bit = 0; bit < bits; ++bit) {
          const std::size_t at =
              i % columns * static_cast<std::size_t>(bits) + static_cast<std::size_t>(bit);
          const std::uint32_t value = codes[i] >> bit & 1;
          wanted[i / columns * row_words + at / 32] |= value << at % 32;
        }
      }
      EXPECT_EQ(pack(codes, rows, columns, bits), wanted) << bits << ' ' << columns;
      EXPECT_EQ(pack(codes, rows, columns, bits, 3), wanted) << bits << ' ' << columns;
      EXPECT_EQ(unpack(wanted, rows, columns, bits, 2), codes) << bits << ' ' << columns;
    }
  }
}

template <class Element>
void expect_transposed(std::size_t rows, std::size_t columns) {
  std::vector<Element> x(rows * columns), wanted(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<Element>(i * 7);
    wanted[i % columns * rows + i / columns] = x[i];
  }
  EXPECT_EQ(transposed(std::span<const Element>(x), rows, columns), wanted);
  EXPECT_EQ(transposed(std::span<const Element>(x), rows, columns, 3), wanted);
}

TEST(BitPacking, TransposesElementsOfEachWidth) {
  expect_transposed<std::uint8_t>(70, 200);
  expect_transposed<std::uint16_t>(200, 3);
  expect_transposed<std::uint32_t>(129, 65);
}

}  // namespace
}  // namespace lq::hf
