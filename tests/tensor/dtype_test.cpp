#include "common/tensor/dtype.h"

#include <gtest/gtest.h>

namespace lq::tensor {
namespace {

TEST(DType, EveryRowIsFoundByTypeAndByName) {
  EXPECT_EQ(dtypes().size(), 22U);
  for (const DTypeRow& row : dtypes()) {
    EXPECT_EQ(&dtype_row(row.dtype), &row) << row.name;
    EXPECT_EQ(dtype_from_name(row.name), row.dtype) << row.name;
  }
}

TEST(DType, NamesAreMatchedExactly) {
  EXPECT_EQ(dtype_from_name("bf16"), std::nullopt);
  EXPECT_EQ(dtype_from_name("F16 "), std::nullopt);
  EXPECT_EQ(dtype_from_name(""), std::nullopt);
}

TEST(DType, PackedKindsCountBitsBelowAByte) {
  EXPECT_EQ(dtype_row(DType::kF4).bits, 4);
  EXPECT_EQ(dtype_row(DType::kF6E2M3).bits, 6);
  EXPECT_EQ(dtype_row(DType::kF6E3M2).bits, 6);
  EXPECT_EQ(dtype_row(DType::kC64).bits, 64);
}

TEST(DType, OnlyWholeByteFloatsWiden) {
  for (const DTypeRow& row : dtypes()) {
    const bool is_float = row.name.find('F') != std::string_view::npos && row.bits >= 8;
    EXPECT_EQ(row.widens, is_float) << row.name;
  }
}

}  // namespace
}  // namespace lq::tensor
