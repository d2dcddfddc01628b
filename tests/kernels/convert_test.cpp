#include "common/kernels/convert.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "common/tensor/convert.h"
#include "tests/kernels/targets.h"

namespace lq::kernels {
namespace {

using tensor::DType;

std::vector<std::byte> every_16_bits() {
  std::vector<std::byte> bytes(2 * 65536);
  for (std::size_t i = 0; i < 65536; ++i) {
    bytes[2 * i] = static_cast<std::byte>(i & 255);
    bytes[2 * i + 1] = static_cast<std::byte>(i >> 8);
  }
  return bytes;
}

void expect_equal_floats(const std::vector<float>& expected, const std::vector<float>& found) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (std::isnan(expected[i])) {
      ASSERT_TRUE(std::isnan(found[i])) << i;
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(expected[i]), std::bit_cast<std::uint32_t>(found[i]))
          << i;
    }
  }
}

TEST(ConvertKernel, WidensEvery16BitPatternAsTheReferenceDoes) {
  const auto bytes = every_16_bits();
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    std::vector<float> expected(65536);
    tensor::widen_to_f32(dtype, bytes, expected);
    testing::on_every_target([&] {
      std::vector<float> found(65536);
      EXPECT_EQ(kernels::widen_to_f32(dtype, bytes, found),
                dtype == DType::kF16 ? 0x7C00U : 0x7F80U);
      expect_equal_floats(expected, found);
    });
  }
}

TEST(ConvertKernel, WidensEvery8BitPatternAsTheReferenceDoes) {
  for (const DType dtype :
       {DType::kF8E4M3, DType::kF8E5M2, DType::kF8E8M0, DType::kF8E4M3FNUZ, DType::kF8E5M2FNUZ}) {
    std::vector<std::byte> bytes(777);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
    std::vector<float> expected(bytes.size());
    std::vector<float> found(bytes.size());
    tensor::widen_to_f32(dtype, bytes, expected);
    const std::size_t at = kernels::widen_to_f32(dtype, bytes, found);
    expect_equal_floats(expected, found);
    ASSERT_LT(at, 256U);
    EXPECT_FALSE(std::isfinite(expected[at]));
  }
}

TEST(ConvertKernel, NarrowsAsTheReferenceDoes) {
  std::mt19937 random(11);
  std::vector<float> values;
  for (int i = 0; i < 100003; ++i) {  // no multiple of any vector
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    values.push_back(std::isnan(value) ? 1.0F : value);
  }
  for (int i = 0; i < 65536; ++i) {  // float16 values and the ties between them
    const float value = tensor::f16_to_f32(static_cast<std::uint16_t>(i));
    if (!std::isfinite(value)) continue;
    values.push_back(value);
    values.push_back(value * (1.0F + 0x1p-11F));
    values.push_back(value * (1.0F + 0x1p-9F));
  }
  testing::on_every_target([&] {
    std::vector<std::byte> f16(2 * values.size() + 1);
    std::vector<std::byte> bf16(f16.size());
    narrow_to_f16(values, f16.data() + 1);
    narrow_to_bf16(values, bf16.data() + 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::uint16_t found;
      std::memcpy(&found, f16.data() + 1 + 2 * i, 2);
      ASSERT_EQ(found, tensor::f32_to_f16(values[i])) << values[i];
      std::memcpy(&found, bf16.data() + 1 + 2 * i, 2);
      ASSERT_EQ(found, tensor::f32_to_bf16(values[i])) << values[i];
    }
  });
}

TEST(ConvertKernel, FindsTheFirstNonFiniteElementWhereverItIs) {
  testing::on_every_target([&] {
    for (const std::size_t size : {1U, 7U, 2048U, 5000U}) {
      std::vector<float> values(size, 3.0F);
      EXPECT_EQ(first_non_finite(values), kAllFinite);
      for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
        auto broken = values;
        broken[at] = at % 2 == 0 ? INFINITY : NAN;
        broken.back() = std::isfinite(broken.back()) ? 3.0F : broken.back();
        EXPECT_EQ(first_non_finite(broken), at);
        std::vector<float> out(size);
        EXPECT_EQ(kernels::widen_to_f32(DType::kF32, std::as_bytes(std::span(broken)), out), at);
      }
    }
  });
}

TEST(ConvertKernel, AF64BeyondFloat32IsReported) {
  const std::vector<double> values = {1.0, -2.5, 1e300, NAN};
  std::vector<float> out(4);
  EXPECT_EQ(kernels::widen_to_f32(DType::kF64, std::as_bytes(std::span(values)), out), 2U);
  EXPECT_EQ(out[1], -2.5F);
}

}  // namespace
}  // namespace lq::kernels
