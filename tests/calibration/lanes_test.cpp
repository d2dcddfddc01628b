#include "common/calibration/lanes.h"

#include <gtest/gtest.h>
#include <numeric>

namespace lq::calibration {
namespace {

TEST(Lanes, AreDealtWindowAfterWindow) {
  std::vector<std::int32_t> ids(10);
  std::iota(ids.begin(), ids.end(), 0);
  const auto lanes = deal_lanes(ids, std::vector<std::int64_t>{0, 3, 5, 9, 10}, 3);
  ASSERT_EQ(lanes.size(), 3U);
  EXPECT_EQ(lanes[0].ids, (std::vector<std::int32_t>{0, 1, 2, 9}));
  EXPECT_EQ(lanes[1].ids, (std::vector<std::int32_t>{3, 4}));
  EXPECT_EQ(lanes[2].ids, (std::vector<std::int32_t>{5, 6, 7, 8}));
  EXPECT_EQ(lanes[0].batches[0].windows.lengths, (std::vector<std::size_t>{3, 1}));
}

TEST(Lanes, MayBeEmptyWhereWindowsAreFew) {
  const std::vector<std::int32_t> ids = {1, 2};
  const auto lanes = deal_lanes(ids, std::vector<std::int64_t>{0, 2}, 4);
  EXPECT_EQ(lanes[0].n_tokens(), 2U);
  EXPECT_TRUE(lanes[3].batches.empty());
  EXPECT_EQ(largest_batch(lanes), 2U);
}

TEST(Lanes, CutBatchesBetweenWindows) {
  const std::size_t n = kBatchTokens / 2 + 1;
  const std::vector<std::int32_t> ids(n * 2 + kBatchTokens * 2 + 5);
  const auto lane = deal_lanes(
      ids,
      std::vector<std::int64_t>{0, static_cast<std::int64_t>(n), static_cast<std::int64_t>(2 * n),
                                static_cast<std::int64_t>(2 * n + 2 * kBatchTokens),
                                static_cast<std::int64_t>(ids.size())},
      1)[0];
  ASSERT_EQ(lane.batches.size(), 4U);  // a window that is longer than a batch is one of its own
  EXPECT_EQ(lane.batches[1].first_token, n);
  EXPECT_EQ(lane.batches[2].windows.n_tokens(), 2 * kBatchTokens);
  EXPECT_EQ(lane.batches[3].first_token, 2 * n + 2 * kBatchTokens);
}

TEST(Lanes, OfAllShardsAreAllLanes) {
  for (int count = 1; count <= 4; ++count) {
    std::size_t next = 0;
    for (int index = 1; index <= count; ++index) {
      const LaneRange range = lanes_of_shard(4, index, count);
      EXPECT_EQ(range.first, next);
      EXPECT_GT(range.end, range.first);
      next = range.end;
    }
    EXPECT_EQ(next, 4U);
  }
}

}  // namespace
}  // namespace lq::calibration
