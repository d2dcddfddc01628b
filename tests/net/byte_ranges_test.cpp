#include "common/net/byte_ranges.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace lq::net {
namespace {

using Extents = std::vector<Extent>;

TEST(ByteRanges, JoinOverlapsAndNeighbours) {
  ByteRanges ranges;
  ranges.add({10, 20});
  ranges.add({30, 40});
  ranges.add({5, 5});
  EXPECT_EQ(ranges.ranges(), (Extents{{10, 20}, {30, 40}}));
  ranges.add({20, 25});
  ranges.add({24, 31});
  EXPECT_EQ(ranges.ranges(), (Extents{{10, 40}}));
  EXPECT_EQ(ranges.total(), 30U);
  EXPECT_EQ(ranges.prefix(), 0U);
  ranges.add({0, 10});
  EXPECT_EQ(ranges.prefix(), 40U);
  ranges.clear();
  EXPECT_EQ(ranges.total(), 0U);
}

TEST(ByteRanges, CutTheFirstGapAtMultiplesOfAPiece) {
  ByteRanges ranges;
  EXPECT_EQ(ranges.first_missing(25, 10), (Extent{0, 10}));
  ranges.add({3, 12});
  EXPECT_EQ(ranges.first_missing(25, 10), (Extent{0, 3}));
  ranges.add({0, 3});
  EXPECT_EQ(ranges.first_missing(25, 10), (Extent{12, 20}));
  ranges.add({12, 20});
  EXPECT_EQ(ranges.first_missing(25, 10), (Extent{20, 25}));
  ranges.add({20, 25});
  EXPECT_EQ(ranges.first_missing(25, 10), std::nullopt);
  EXPECT_EQ(ranges.first_missing(0, 10), std::nullopt);
}

TEST(ByteRanges, AgreeWithASetOfBytes) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    ByteRanges ranges;
    std::vector<bool> bytes(100);
    for (int i = 0; i < 8; ++i) {
      const std::uint64_t begin = random() % 100, end = begin + random() % (101 - begin);
      ranges.add({begin, end});
      std::fill(bytes.begin() + static_cast<long>(begin), bytes.begin() + static_cast<long>(end),
                true);
    }
    while (const auto gap = ranges.first_missing(100, 7)) {
      EXPECT_LE(gap->size(), 7U);
      for (std::uint64_t i = gap->begin; i < gap->end; ++i) {
        EXPECT_FALSE(bytes[i]);
        bytes[i] = true;
      }
      ranges.add(*gap);
    }
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), true), 100);
  }
}

}  // namespace
}  // namespace lq::net
