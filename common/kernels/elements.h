#pragma once
// One element of a row of float32 or bfloat16: what the plain references read and write.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "common/tensor/convert.h"

namespace lq::kernels::detail {

inline float get_element(tensor::DType dtype, const std::byte* row, std::size_t i) {
  float value;
  if (dtype == tensor::DType::kF32) {
    std::memcpy(&value, row + 4 * i, sizeof value);
  } else {
    std::uint16_t bits;
    std::memcpy(&bits, row + 2 * i, sizeof bits);
    value = tensor::bf16_to_f32(bits);
  }
  return value;
}

inline void put_element(tensor::DType dtype, std::byte* row, std::size_t i, float value) {
  if (dtype == tensor::DType::kF32) {
    std::memcpy(row + 4 * i, &value, sizeof value);
  } else {
    const std::uint16_t bits = tensor::f32_to_bf16(value);
    std::memcpy(row + 2 * i, &bits, sizeof bits);
  }
}

}  // namespace lq::kernels::detail
