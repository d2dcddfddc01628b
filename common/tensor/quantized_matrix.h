#pragma once
// A matrix as integer codes on a grid of its own for each group of columns: what solvers choose and
// what the formats of quantized checkpoints hold.
//
//   value[r][c] = (code[r][c] - zero[r][g]) * scale[r][g],   g = group(c)
//
// A group is `group_size` columns in a row, the last one may be smaller; or, where columns were
// grouped by their importance (act-order), what `group_of` says.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lq::tensor {

struct QuantizedMatrix {
  QuantizedMatrix() = default;
  /// Of zeros alone. `size_of_groups` 0: one group for the whole row.
  QuantizedMatrix(std::size_t n_rows, std::size_t n_columns, std::size_t size_of_groups,
                  int n_bits);

  std::size_t rows = 0, columns = 0;
  std::size_t group_size = 0;          // 1..columns
  int bits = 0;                        // codes and zeros are 0..2^bits - 1
  std::vector<std::uint8_t> codes;     // [rows, columns]
  std::vector<float> scales;           // [rows, n_groups()], exact in the type they are stored in
  std::vector<std::uint8_t> zeros;     // [rows, n_groups()]
  std::vector<std::int32_t> group_of;  // [columns]; empty: column / group_size

  std::size_t n_groups() const { return (columns + group_size - 1) / group_size; }
  std::size_t group(std::size_t column) const {
    return group_of.empty() ? column / group_size : static_cast<std::size_t>(group_of[column]);
  }
  float value(std::size_t row, std::size_t column) const {
    const std::size_t g = row * n_groups() + group(column);
    return static_cast<float>(codes[row * columns + column] - zeros[g]) * scales[g];
  }
};

}  // namespace lq::tensor
