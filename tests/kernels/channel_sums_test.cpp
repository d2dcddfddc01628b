#include "common/kernels/channel_sums.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "common/kernels/channel_sums_detail.h"
#include "common/tensor/convert.h"
#include "tests/kernels/targets.h"

namespace lq::kernels {
namespace {

using tensor::DType;

struct Sums {
  std::vector<double> sum, sum_abs, sum_sq;
  std::vector<float> max_abs;

  explicit Sums(std::size_t n) : sum(n), sum_abs(n), sum_sq(n), max_abs(n) {}
  ChannelSums view() { return {sum.data(), sum_abs.data(), sum_sq.data(), max_abs.data()}; }
  bool operator==(const Sums&) const = default;
};

/// Rows of values in float32 or bfloat16, with `gap` elements that do not count behind each.
struct Rows {
  DType dtype;
  std::size_t n_rows, n_channels, row_bytes;
  std::vector<std::uint32_t> storage;  // aligned for both types

  Rows(DType type, std::size_t rows, std::size_t channels, std::size_t gap)
      : dtype(type), n_rows(rows), n_channels(channels) {
    const std::size_t element = type == DType::kF32 ? 4 : 2;
    row_bytes = (channels + gap) * element;
    storage.resize((rows * row_bytes + 3) / 4);
    std::mt19937 random(static_cast<unsigned>(rows * 31 + channels));
    std::normal_distribution<float> normal;
    auto* const bytes = reinterpret_cast<std::byte*>(storage.data());
    for (std::size_t i = 0; i < rows * (channels + gap); ++i) {
      const float value = normal(random) * (i % 5 == 0 ? 100.0F : 1.0F);
      const std::uint16_t half = tensor::f32_to_bf16(value);
      std::memcpy(bytes + i * element,
                  type == DType::kF32 ? static_cast<const void*>(&value) : &half, element);
    }
  }
  const std::byte* data() const { return reinterpret_cast<const std::byte*>(storage.data()); }
  double at(std::size_t row, std::size_t channel) const {
    float value;
    const std::size_t element = dtype == DType::kF32 ? 4 : 2;
    tensor::widen_to_f32(dtype, {data() + row * row_bytes + channel * element, element},
                         {&value, 1});
    return double{value};
  }
};

std::vector<Rows> all_rows() {
  std::vector<Rows> all;
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    for (const std::size_t n_rows : {0U, 1U, 32U, 33U, 100U}) {
      for (const std::size_t n_channels : {1U, 7U, 64U, 131U}) {
        all.emplace_back(dtype, n_rows, n_channels, n_channels % 2 == 0 ? 0U : 3U);
      }
    }
  }
  return all;
}

TEST(ChannelSums, AreThoseOfTheValues) {
  for (const Rows& rows : all_rows()) {
    Sums found(rows.n_channels);
    add_channel_sums(rows.dtype, rows.data(), rows.n_rows, rows.row_bytes, rows.n_channels,
                     found.view());
    for (std::size_t channel = 0; channel < rows.n_channels; ++channel) {
      double sum = 0, sum_abs = 0, sum_sq = 0, max_abs = 0;
      for (std::size_t row = 0; row < rows.n_rows; ++row) {
        const double value = rows.at(row, channel);
        sum += value;
        sum_abs += std::abs(value);
        sum_sq += value * value;
        max_abs = std::max(max_abs, std::abs(value));
      }
      ASSERT_NEAR(found.sum[channel], sum, 0x1p-19 * sum_abs);
      ASSERT_NEAR(found.sum_abs[channel], sum_abs, 0x1p-19 * sum_abs);
      ASSERT_NEAR(found.sum_sq[channel], sum_sq, 0x1p-19 * sum_sq);
      ASSERT_EQ(double{found.max_abs[channel]}, max_abs);
    }
  }
}

TEST(ChannelSums, AreTheSameBitsOnEveryTarget) {
  for (const Rows& rows : all_rows()) {
    Sums expected(rows.n_channels);
    for (int time = 0; time < 2; ++time) {
      detail::add_channel_sums_reference(rows.dtype, rows.data(), rows.n_rows, rows.row_bytes,
                                         rows.n_channels, expected.view());
    }
    testing::on_every_target([&] {
      Sums found(rows.n_channels);
      for (int time = 0; time < 2; ++time) {
        add_channel_sums(rows.dtype, rows.data(), rows.n_rows, rows.row_bytes, rows.n_channels,
                         found.view());
      }
      EXPECT_EQ(found, expected);
    });
  }
}

TEST(ChannelSums, BlocksOfWholeRunsGiveWhatOneCallGives) {
  const Rows rows(DType::kBF16, 5 * kChannelRun + 9, 40, 0);
  Sums whole(40), parts(40);
  add_channel_sums(rows.dtype, rows.data(), rows.n_rows, rows.row_bytes, 40, whole.view());
  for (std::size_t row = 0; row < rows.n_rows; row += 2 * kChannelRun) {
    add_channel_sums(rows.dtype, rows.data() + row * rows.row_bytes,
                     std::min(2 * kChannelRun, rows.n_rows - row), rows.row_bytes, 40,
                     parts.view());
  }
  EXPECT_EQ(whole, parts);
}

}  // namespace
}  // namespace lq::kernels
