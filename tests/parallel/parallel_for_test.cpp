#include "common/parallel/parallel_for.h"

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <stdexcept>
#include <vector>

namespace lq::parallel {
namespace {

TEST(ParallelFor, DoesEveryItemOnceWithAnyThreadCount) {
  for (const int threads : {-1, 0, 1, 2, 3, 8}) {
    std::vector<std::atomic<int>> count(100);
    parallel_for(100, threads, [&](std::size_t index, int worker) {
      EXPECT_GE(worker, 0);
      EXPECT_LT(worker, std::max(threads, 1));
      ++count[index];
    });
    for (const auto& times : count) EXPECT_EQ(times, 1);
  }
}

TEST(ParallelFor, DoesNothingForNoItems) {
  parallel_for(0, 4, [](std::size_t, int) { FAIL(); });
}

TEST(ParallelFor, OneThreadTakesItemsInOrder) {
  std::vector<std::size_t> order;
  parallel_for(5, 1, [&](std::size_t index, int) { order.push_back(index); });
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(ParallelFor, RethrowsAndStartsNothingNewAfterAnException) {
  std::atomic<std::size_t> started = 0;
  EXPECT_THROW(parallel_for(1'000'000, 2,
                            [&](std::size_t index, int) {
                              ++started;
                              if (index == 3) throw std::runtime_error("item 3");
                            }),
               std::runtime_error);
  EXPECT_LT(started, 1'000'000U);
}

TEST(ParallelFor, WorksInsideAWorker) {
  std::atomic<int> items = 0;
  parallel_for(4, 2,
               [&](std::size_t, int) { parallel_for(4, 2, [&](std::size_t, int) { ++items; }); });
  EXPECT_EQ(items, 16);
}

}  // namespace
}  // namespace lq::parallel
