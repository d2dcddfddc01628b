#pragma once
// Matrices in the type that products take them in.

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/linalg/aligned.h"
#include "common/tensor/dtype.h"

namespace lq::linalg {

/// How products are computed. Sums are float32, of the reference float64.
enum class Compute : std::uint8_t {
  kReference,  // plain loops: the definition
  kF32,
  kBf16,  // factors rounded to bfloat16
};

/// The type of a factor's elements: kF32 or kBF16.
tensor::DType element_type(Compute compute);
std::size_t element_bytes(Compute compute);

/// [rows, columns], row after row. Values that were never set are arbitrary.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t columns, Compute compute);
  /// Of kF32. REQUIRES: values.size() == rows * columns.
  Matrix(std::size_t rows, std::size_t columns, AlignedVector<float> values);

  /// Another shape in the same memory, which only grows; the values are arbitrary then.
  void reshape(std::size_t rows, std::size_t columns, Compute compute);

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  Compute compute() const { return compute_; }
  tensor::DType dtype() const { return element_type(compute_); }
  /// Bytes between the beginnings of two rows.
  std::size_t row_bytes() const { return columns_ * element_bytes(); }
  std::size_t element_bytes() const { return linalg::element_bytes(compute_); }

  /// Rounds to the type. REQUIRES: values.size() == columns(), no NaN. Different rows may be set
  /// from different threads.
  void set_row(std::size_t row, std::span<const float> values);
  /// The same for some elements from column `first` on, row after row.
  void set(std::size_t row, std::size_t first, std::span<const float> values);
  /// Some elements of a row as float32, exactly.
  void get(std::size_t row, std::size_t first, std::span<float> out) const;

  /// The elements of a row of float32. REQUIRES: dtype() is kF32.
  const float* floats(std::size_t row) const {
    return reinterpret_cast<const float*>(data() + row * row_bytes());
  }
  float* floats(std::size_t row) { return reinterpret_cast<float*>(data() + row * row_bytes()); }

  const std::byte* data() const { return reinterpret_cast<const std::byte*>(values_.data()); }
  std::byte* data() { return reinterpret_cast<std::byte*>(values_.data()); }
  /// The place of an element.
  const std::byte* at(std::size_t row, std::size_t column) const {
    return data() + row * row_bytes() + column * element_bytes();
  }
  std::byte* at(std::size_t row, std::size_t column) {
    return data() + row * row_bytes() + column * element_bytes();
  }

 private:
  std::size_t rows_ = 0, columns_ = 0;
  Compute compute_ = Compute::kF32;
  AlignedVector<float> values_;  // or the memory of smaller elements
};

}  // namespace lq::linalg
