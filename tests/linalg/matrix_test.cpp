#include "common/linalg/matrix.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <vector>

#include "common/tensor/convert.h"

namespace lq::linalg {
namespace {

TEST(Matrix, RoundsToItsType) {
  Matrix exact(2, 3, Compute::kF32), rounded(2, 3, Compute::kBf16);
  const std::vector<float> values = {1.0F, 1.0F / 3.0F, -1e-8F};
  std::vector<float> out(3);
  exact.set_row(1, values);
  exact.get(1, 0, out);
  EXPECT_EQ(out, values);
  rounded.set_row(1, values);
  rounded.get(1, 0, out);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(out[i], tensor::bf16_to_f32(tensor::f32_to_bf16(values[i])));
  }
  rounded.set(0, 1, std::span(values).first(2));
  rounded.get(0, 1, std::span(out).first(2));
  EXPECT_EQ(out[0], 1.0F);
  EXPECT_EQ(rounded.row_bytes(), 6U);
}

TEST(Matrix, ElementsRunOnIntoTheNextRow) {
  Matrix matrix(2, 2, Compute::kF32);
  matrix.set(0, 0, std::vector<float>{1, 2, 3, 4});
  std::vector<float> out(2);
  matrix.get(1, 0, out);
  EXPECT_EQ(out, (std::vector<float>{3, 4}));
}

TEST(Matrix, BeginsAtACacheLineAndKeepsItsMemory) {
  for (const std::size_t rows : {1U, 3U, 70000U}) {
    Matrix matrix(rows, 33, Compute::kF32);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(matrix.data()) % 64, 0U);
    const std::byte* const before = matrix.data();
    matrix.reshape(rows, 17, Compute::kBf16);
    EXPECT_EQ(matrix.data(), before);
    EXPECT_EQ(matrix.columns(), 17U);
    matrix.reshape(2 * rows, 33, Compute::kF32);
    matrix.set_row(2 * rows - 1, std::vector<float>(33, 1.0F));
  }
}

}  // namespace
}  // namespace lq::linalg
