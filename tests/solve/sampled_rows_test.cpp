#include "common/solve/sampled_rows.h"

#include <gtest/gtest.h>
#include <set>

namespace lq::solve {
namespace {

TEST(SampledRows, AreAllOfFewAndOneOfEachPartOfMany) {
  EXPECT_EQ(sampled_rows(3, 256), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(sampled_rows(256, 256).size(), 256U);
  const std::vector<std::size_t> rows = sampled_rows(48 * 256, 256);
  ASSERT_EQ(rows.size(), 256U);
  std::set<std::size_t> places;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i] / 48, i);
    places.insert(rows[i] % 48);
  }
  EXPECT_GT(places.size(), 40U) << "of heads always the same rows";
}

}  // namespace
}  // namespace lq::solve
