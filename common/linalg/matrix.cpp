#include "common/linalg/matrix.h"

#include <cassert>
#include <cstring>
#include <utility>

#include "common/kernels/convert.h"

namespace lq::linalg {

tensor::DType element_type(Compute compute) {
  return compute == Compute::kBf16 ? tensor::DType::kBF16 : tensor::DType::kF32;
}

std::size_t element_bytes(Compute compute) { return compute == Compute::kBf16 ? 2 : 4; }

Matrix::Matrix(std::size_t rows, std::size_t columns, Compute compute) {
  reshape(rows, columns, compute);
}

Matrix::Matrix(std::size_t rows, std::size_t columns, AlignedVector<float> values)
    : rows_(rows), columns_(columns), values_(std::move(values)) {
  assert(values_.size() == rows * columns);
}

void Matrix::reshape(std::size_t rows, std::size_t columns, Compute compute) {
  rows_ = rows;
  columns_ = columns;
  compute_ = compute;
  const std::size_t size = (rows * row_bytes() + sizeof(float) - 1) / sizeof(float);
  if (size > values_.capacity()) values_ = AlignedVector<float>();  // nothing to copy
  values_.resize(size);
}

void Matrix::set_row(std::size_t row, std::span<const float> values) { set(row, 0, values); }

void Matrix::set(std::size_t row, std::size_t first, std::span<const float> values) {
  assert(row * columns_ + first + values.size() <= rows_ * columns_);
  if (compute_ == Compute::kBf16) {
    kernels::narrow_to_bf16(values, at(row, first));
  } else {
    std::memcpy(at(row, first), values.data(), values.size_bytes());
  }
}

void Matrix::get(std::size_t row, std::size_t first, std::span<float> out) const {
  assert(row < rows_ && first + out.size() <= columns_);
  if (compute_ == Compute::kBf16) {
    kernels::widen_to_f32(tensor::DType::kBF16, {at(row, first), 2 * out.size()}, out);
  } else {
    std::memcpy(out.data(), at(row, first), out.size_bytes());
  }
}

}  // namespace lq::linalg
