#include "common/forward/norm.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace lq::forward {
namespace {

TEST(RmsNorm, DividesByTheRootOfTheMeanSquare) {
  const std::vector<float> x = {3, -4, 0, 5, 1, 2, -2, 7, 6}, weight = {1, 2, 3, 1, 1, 1, 1, 1, 2};
  std::vector<float> y(x.size());
  rms_norm(x, weight, 0.5, y);
  const double root = std::sqrt((9 + 16 + 25 + 1 + 4 + 4 + 49 + 36) / 9.0 + 0.5);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(y[i], x[i] * weight[i] / root, 1e-6) << i;
}

TEST(RmsNorm, MayWriteWhereItReads) {
  std::vector<float> x = {1, 2, 3}, y(3);
  const std::vector<float> weight = {1, 1, 1};
  rms_norm(x, weight, 1e-5, y);
  rms_norm(x, weight, 1e-5, x);
  EXPECT_EQ(x, y);
}

TEST(LayerNorm, TakesTheMeanOffAndDividesByTheDeviation) {
  const std::vector<float> x = {1, 2, 3, 6}, weight = {1, 2, 1, 1}, bias = {0, 0, 10, 0};
  std::vector<float> y(4);
  layer_norm(x, weight, bias, 0.5, y);
  const double deviation = std::sqrt((4 + 1 + 0 + 9) / 4.0 + 0.5);
  const std::vector<double> wanted = {-2 / deviation, -2 / deviation, 10, 3 / deviation};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(y[i], wanted[i], 1e-6) << i;
  layer_norm(x, weight, {}, 0.5, y);
  EXPECT_NEAR(y[2], 0, 1e-6);
}

}  // namespace
}  // namespace lq::forward
