#include "common/base/checked.h"

#include <gtest/gtest.h>
#include <limits>

namespace lq::base {
namespace {

constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

TEST(Checked, HasTheValueOfSumsAndProducts) {
  EXPECT_EQ((Checked(3) * 5 + 2).value(), 17U);
  EXPECT_EQ((Checked(kLargest) * 1 + 0).value(), kLargest);
  EXPECT_FALSE(Checked(7).above(7));
  EXPECT_TRUE(Checked(8).above(7));
}

TEST(Checked, HasNoValueAfterAnOverflow) {
  EXPECT_EQ((Checked(kLargest) + 1).value(), std::nullopt);
  EXPECT_EQ((Checked(1ULL << 32) * (1ULL << 32)).value(), std::nullopt);
  EXPECT_EQ((Checked(1) + Checked(kLargest) * 2).value(), std::nullopt);
  Checked product = kLargest;
  product *= 2;
  product *= 0;
  EXPECT_EQ(product.value(), std::nullopt);
  EXPECT_TRUE(product.above(kLargest));
}

}  // namespace
}  // namespace lq::base
