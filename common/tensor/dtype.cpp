#include "common/tensor/dtype.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace lq::tensor {
namespace {

// In the order of the enumerators, so that a row is found by its number.
constexpr std::array kDTypes = {
    DTypeRow{DType::kBool, "BOOL", 8, false},
    DTypeRow{DType::kU8, "U8", 8, false},
    DTypeRow{DType::kI8, "I8", 8, false},
    DTypeRow{DType::kF4, "F4", 4, false},
    DTypeRow{DType::kF6E2M3, "F6_E2M3", 6, false},
    DTypeRow{DType::kF6E3M2, "F6_E3M2", 6, false},
    DTypeRow{DType::kF8E4M3, "F8_E4M3", 8, true},
    DTypeRow{DType::kF8E5M2, "F8_E5M2", 8, true},
    DTypeRow{DType::kF8E8M0, "F8_E8M0", 8, true},
    DTypeRow{DType::kF8E4M3FNUZ, "F8_E4M3FNUZ", 8, true},
    DTypeRow{DType::kF8E5M2FNUZ, "F8_E5M2FNUZ", 8, true},
    DTypeRow{DType::kI16, "I16", 16, false},
    DTypeRow{DType::kU16, "U16", 16, false},
    DTypeRow{DType::kF16, "F16", 16, true},
    DTypeRow{DType::kBF16, "BF16", 16, true},
    DTypeRow{DType::kI32, "I32", 32, false},
    DTypeRow{DType::kU32, "U32", 32, false},
    DTypeRow{DType::kF32, "F32", 32, true},
    DTypeRow{DType::kI64, "I64", 64, false},
    DTypeRow{DType::kU64, "U64", 64, false},
    DTypeRow{DType::kF64, "F64", 64, true},
    DTypeRow{DType::kC64, "C64", 64, false},
};

constexpr bool rows_follow_enumerators() {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (static_cast<std::size_t>(kDTypes[i].dtype) != i) return false;
  }
  return true;
}
static_assert(rows_follow_enumerators());

}  // namespace

std::span<const DTypeRow> dtypes() { return kDTypes; }

const DTypeRow& dtype_row(DType dtype) {
  const auto row = static_cast<std::size_t>(dtype);
  assert(row < kDTypes.size());
  return kDTypes[row];
}

std::optional<DType> dtype_from_name(std::string_view name) {
  const auto row = std::ranges::find(kDTypes, name, &DTypeRow::name);
  if (row == kDTypes.end()) return std::nullopt;
  return row->dtype;
}

}  // namespace lq::tensor
