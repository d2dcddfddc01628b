#include "common/linalg/matrix.h"

#include <cassert>
#include <cstring>

#include "common/kernels/convert.h"

namespace lq::linalg {

Matrix::Matrix(std::size_t rows, std::size_t columns, Compute compute)
    : rows_(rows), columns_(columns), compute_(compute), values_(rows * row_bytes()) {}

void Matrix::set_row(std::size_t row, std::span<const float> values) { set(row, 0, values); }

void Matrix::set(std::size_t row, std::size_t first, std::span<const float> values) {
  assert(row < rows_ && first + values.size() <= columns_);
  std::byte* const place = values_.data() + row * row_bytes() + first * element_bytes();
  if (compute_ == Compute::kBf16) {
    kernels::narrow_to_bf16(values, place);
  } else {
    std::memcpy(place, values.data(), values.size_bytes());
  }
}

void Matrix::get(std::size_t row, std::size_t first, std::span<float> out) const {
  assert(row < rows_ && first + out.size() <= columns_);
  const std::byte* const place = values_.data() + row * row_bytes() + first * element_bytes();
  if (compute_ == Compute::kBf16) {
    kernels::widen_to_f32(tensor::DType::kBF16, {place, 2 * out.size()}, out);
  } else {
    std::memcpy(out.data(), place, out.size_bytes());
  }
}

}  // namespace lq::linalg
