#include "common/sequential/triangle.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace lq::sequential {
namespace {

// Two tiles and a part of one.
constexpr std::size_t kN = 150;

/// [i][j] on and above the diagonal; garbage below it.
std::vector<float> square() {
  std::vector<float> values(kN * kN, -1e9F);
  for (std::size_t i = 0; i < kN; ++i) {
    for (std::size_t j = i; j < kN; ++j) values[i * kN + j] = static_cast<float>(i * kN + j);
  }
  return values;
}

TEST(Triangle, HasTheRowsOfTheUpperHalf) {
  Triangle triangle(kN);
  triangle.add_square(square().data(), 2);
  triangle.add_square(square().data(), 2);
  EXPECT_EQ(triangle.n(), kN);
  EXPECT_EQ(triangle.row(0)[0], 0.0F);
  EXPECT_EQ(triangle.row(0)[kN - 1], 2.0F * (kN - 1));
  EXPECT_EQ(triangle.row(1)[0], 2.0F * (kN + 1));
  EXPECT_EQ(triangle.row(kN - 1)[0], 2.0F * (kN * kN - 1));
}

TEST(Triangle, AddsBothHalvesToASquare) {
  Triangle triangle(kN);
  triangle.add_square(square().data(), 2);
  std::vector<float> sum(kN * kN, 1.0F);
  triangle.add_to(sum.data(), 3);
  const std::vector<float> values = square();
  for (std::size_t i = 0; i < kN; ++i) {
    for (std::size_t j = 0; j < kN; ++j) {
      ASSERT_EQ(sum[i * kN + j], 1 + values[std::min(i, j) * kN + std::max(i, j)]);
    }
  }
}

TEST(Triangle, AddsTheHalfThatAFactorIsMadeOf) {
  Triangle triangle(kN);
  triangle.add_square(square().data(), 2);
  linalg::Matrix sum(kN, kN, linalg::Compute::kF32);
  for (std::size_t i = 0; i < kN; ++i) std::fill_n(sum.floats(i), kN, 1.0F);
  triangle.add_to(sum, 3);
  const std::vector<float> values = square();
  for (std::size_t i = 0; i < kN; ++i) {
    for (std::size_t j = 0; j < kN; ++j) {
      ASSERT_EQ(sum.floats(i)[j], j <= i ? 1 + values[j * kN + i] : 1);
    }
  }
}

TEST(Triangle, TakesHalfOfASquare) { EXPECT_EQ(Triangle::bytes(100), 100U * 101 / 2 * 4); }

}  // namespace
}  // namespace lq::sequential
