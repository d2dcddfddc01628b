#include "common/kernels/token_rows.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "common/kernels/token_rows_detail.h"
#include "tests/kernels/targets.h"

namespace lq::kernels {
namespace {

using tensor::DType;

std::vector<float> random_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

constexpr std::size_t kSizes[] = {1, 7, 16, 63, 64, 515};

TEST(TokenRows, SumOfSquaresIsFloat64) {
  for (const std::size_t n : kSizes) {
    const std::vector<float> x = random_values(n, 1);
    double wanted = 0;
    for (const float value : x) wanted += double{value} * double{value};
    EXPECT_NEAR(detail::sum_of_squares_reference(x.data(), n), wanted, 1e-12 * wanted);
    testing::on_every_target(
        [&] { EXPECT_NEAR(sum_of_squares(x.data(), n), wanted, 1e-12 * wanted); });
  }
}

TEST(TokenRows, ScaledRowsAreTheSameBitsOnEveryTarget) {
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    for (const std::size_t n : kSizes) {
      const std::vector<float> x = random_values(n, 2), weight = random_values(n, 3);
      std::vector<std::uint32_t> expected(n + 1, 0x55555555U);
      detail::scale_row_reference(x.data(), 0.3F, weight.data(), n, dtype,
                                  reinterpret_cast<std::byte*>(expected.data()));
      if (dtype == DType::kF32) {
        float last;
        std::memcpy(&last, &expected[n - 1], 4);
        EXPECT_EQ(last, x[n - 1] * 0.3F * weight[n - 1]);
      }
      testing::on_every_target([&] {
        std::vector<std::uint32_t> found(n + 1, 0x55555555U);
        scale_row(x.data(), 0.3F, weight.data(), n, dtype,
                  reinterpret_cast<std::byte*>(found.data()));
        EXPECT_EQ(found, expected) << n;
      });
    }
  }
}

TEST(TokenRows, RotatedHeadsAreTheSameBitsOnEveryTarget) {
  for (const std::size_t half : {1U, 4U, 24U, 32U, 40U, 63U}) {
    const std::vector<float> heads = random_values(3 * 2 * half + 1, 4);
    std::vector<float> cos(half), sin(half);
    for (std::size_t i = 0; i < half; ++i) {
      cos[i] = std::cos(static_cast<float>(i));
      sin[i] = std::sin(static_cast<float>(i));
    }
    std::vector<float> expected = heads;
    detail::rotate_heads_reference(expected.data(), 3, half, 0, cos.data(), sin.data());
    EXPECT_EQ(expected[2 * half], heads[2 * half] * cos[0] - heads[3 * half] * sin[0]);
    EXPECT_EQ(expected[3 * half], heads[3 * half] * cos[0] + heads[2 * half] * sin[0]);
    testing::on_every_target([&] {
      std::vector<float> found = heads;
      rotate_heads(found.data(), 3, half, cos.data(), sin.data());
      EXPECT_EQ(found, expected) << half;
    });
  }
}

}  // namespace
}  // namespace lq::kernels
