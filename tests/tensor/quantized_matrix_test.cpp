#include "common/tensor/quantized_matrix.h"

#include <gtest/gtest.h>

namespace lq::tensor {
namespace {

TEST(QuantizedMatrix, IsCodeLessZeroTimesScaleOfItsGroup) {
  QuantizedMatrix m(2, 6, 4, 3);
  EXPECT_EQ(m.n_groups(), 2U);
  m.codes = {0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3};
  m.scales = {0.5F, 2, -1, 4};
  m.zeros = {4, 1, 0, 3};
  EXPECT_EQ(m.value(0, 0), -2);
  EXPECT_EQ(m.value(0, 5), 8);
  EXPECT_EQ(m.value(1, 1), -7);
  EXPECT_EQ(m.value(1, 4), -4);
}

TEST(QuantizedMatrix, HasOneGroupPerRowWhereNoSizeIsGiven) {
  const QuantizedMatrix m(3, 5, 0, 4);
  EXPECT_EQ(m.group_size, 5U);
  EXPECT_EQ(m.scales.size(), 3U);
}

TEST(QuantizedMatrix, TakesTheGroupOfAColumnFromItsListWhereThereIsOne) {
  QuantizedMatrix m(1, 4, 2, 4);
  m.codes = {1, 1, 1, 1};
  m.scales = {1, 10};
  m.group_of = {1, 0, 0, 1};
  EXPECT_EQ(m.value(0, 0), 10);
  EXPECT_EQ(m.value(0, 1), 1);
  EXPECT_EQ(m.value(0, 3), 10);
}

}  // namespace
}  // namespace lq::tensor
