#pragma once
// Element types of safetensors files, one row each: name, size, whether it can be widened to
// float32.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace lq::tensor {

enum class DType : std::uint8_t {
  kBool,
  kU8,
  kI8,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kF8E4M3,
  kF8E5M2,
  kF8E8M0,
  kF8E4M3FNUZ,
  kF8E5M2FNUZ,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kI64,
  kU64,
  kF64,
  kC64,
};

struct DTypeRow {
  DType dtype;
  std::string_view name;  // as in a safetensors header
  int bits;               // per element; F4 and F6 are packed
  bool widens;            // widen_to_f32() accepts it
};

std::span<const DTypeRow> dtypes();
const DTypeRow& dtype_row(DType dtype);
std::optional<DType> dtype_from_name(std::string_view name);

}  // namespace lq::tensor
