#include "common/kernels/exp_rows.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "common/kernels/elements.h"
#include "common/kernels/exp_rows_detail.h"
#include "tests/kernels/targets.h"

namespace lq::kernels {
namespace {

using tensor::DType;

std::vector<float> random_values(std::size_t n, float deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

/// As read back from memory of that type, which holds n values and canaries behind them.
struct Output {
  explicit Output(DType type, std::size_t n) : dtype(type), storage(n + 4, 0x55555555U) {}
  DType dtype;
  std::vector<std::uint32_t> storage;
  std::byte* data() { return reinterpret_cast<std::byte*>(storage.data()); }
  float at(std::size_t i) { return detail::get_element(dtype, data(), i); }
  bool kept_canary(std::size_t n) {
    const std::size_t end = n * (dtype == DType::kF32 ? 4 : 2);
    return data()[end] == std::byte{0x55};
  }
};

constexpr std::size_t kSizes[] = {1, 5, 16, 31, 64, 100, 515};

/// A few units in the last place, and the rounding of the type.
float tolerance(DType dtype) { return dtype == DType::kF32 ? 0x1p-21F : 0x1p-7F; }

TEST(ExpRows, LargestValueIsThatOfTheRow) {
  for (const std::size_t n : kSizes) {
    for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
      std::vector<float> x = random_values(n, 2.0F, 1);
      for (float& value : x) value -= 100.0F;
      x[at] = -1.0F;
      testing::on_every_target([&] { EXPECT_EQ(largest_value(x.data(), n), -1.0F) << n; });
    }
  }
}

TEST(ExpRows, SoftmaxWeightsAreExponentials) {
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    for (const std::size_t n : kSizes) {
      std::vector<float> scores = random_values(n, 20.0F, 2);
      scores[n / 2] = -1e30F;
      const float largest = *std::ranges::max_element(scores);
      double sum = 0;
      for (const float score : scores) sum += std::exp((double{score} - double{largest}) * 0.125);
      testing::on_every_target([&] {
        Output out(dtype, n);
        EXPECT_NEAR(softmax_weights(scores.data(), n, largest, 0.125F, dtype, out.data()) / sum, 1,
                    0x1p-19);
        for (std::size_t i = 0; i < n; ++i) {
          // What the argument's own rounding does to the exponential counts.
          const double x = (double{scores[i]} - double{largest}) * 0.125;
          const double wanted = std::exp(x);
          ASSERT_NEAR(out.at(i), wanted,
                      double{tolerance(dtype)} * (1 + std::abs(x)) * wanted + 1e-37)
              << scores[i];
        }
        EXPECT_TRUE(out.kept_canary(n));
      });
    }
  }
}

TEST(ExpRows, SiluProductIsTheDefinition) {
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    for (const std::size_t n : kSizes) {
      std::vector<float> gate = random_values(n, 5.0F, 3);
      const std::vector<float> up = random_values(n, 1.0F, 4);
      gate[n / 2] = -1e4F;
      gate[n / 3] = 1e4F;
      testing::on_every_target([&] {
        Output out(dtype, n);
        silu_product(gate.data(), up.data(), n, dtype, out.data());
        for (std::size_t i = 0; i < n; ++i) {
          const double x = double{gate[i]};
          const double wanted = x / (1 + std::exp(-x)) * double{up[i]};
          ASSERT_NEAR(out.at(i), wanted, double{tolerance(dtype)} * std::abs(wanted) + 1e-30) << x;
        }
        EXPECT_TRUE(out.kept_canary(n));
      });
    }
  }
}

TEST(ExpRows, TheReferenceIsTheDefinition) {
  const std::vector<float> x = {-3.0F, 0.0F, 0.5F, -90.0F};
  Output weights(DType::kF32, 4), units(DType::kF32, 4);
  EXPECT_EQ(detail::largest_value_reference(x.data(), 4), 0.5F);
  const float sum =
      detail::softmax_weights_reference(x.data(), 4, 0.5F, 2.0F, DType::kF32, weights.data());
  detail::silu_product_reference(x.data(), x.data(), 4, DType::kF32, units.data());
  double wanted = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const double value = double{x[i]};
    EXPECT_NEAR(weights.at(i), std::exp((value - 0.5) * 2), 1e-6);
    EXPECT_NEAR(units.at(i), value * value / (1 + std::exp(-value)), 1e-6);
    wanted += std::exp((value - 0.5) * 2);
  }
  EXPECT_NEAR(sum, wanted, 1e-6);
}

}  // namespace
}  // namespace lq::kernels
