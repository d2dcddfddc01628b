#pragma once
// Matrices in the type that products take them in.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lq::linalg {

/// How products are computed. Sums are float32, of the reference float64.
enum class Compute : std::uint8_t {
  kReference,  // plain loops: the definition
  kF32,
  kBf16,  // factors rounded to bfloat16
};

/// [rows, columns], row after row.
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t columns, Compute compute);

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  Compute compute() const { return compute_; }
  /// Bytes between the beginnings of two rows.
  std::size_t row_bytes() const { return columns_ * element_bytes(); }
  std::size_t element_bytes() const { return compute_ == Compute::kBf16 ? 2 : 4; }

  /// Rounds to the type. REQUIRES: values.size() == columns(), no NaN. Different rows may be set
  /// from different threads.
  void set_row(std::size_t row, std::span<const float> values);
  /// The same for some elements of a row, from column `first` on.
  void set(std::size_t row, std::size_t first, std::span<const float> values);
  /// Some elements of a row as float32, exactly.
  void get(std::size_t row, std::size_t first, std::span<float> out) const;

  const std::byte* data() const { return values_.data(); }
  std::byte* data() { return values_.data(); }

 private:
  std::size_t rows_ = 0, columns_ = 0;
  Compute compute_ = Compute::kF32;
  std::vector<std::byte> values_;
};

}  // namespace lq::linalg
