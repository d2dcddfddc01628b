#pragma once
// Transposition of elements of 2 or 4 bytes.

#include <cstddef>

namespace lq::kernels {

/// out[c][r] = x[r][c] for x [n_rows, n_columns]; `row_bytes` and `out_row_bytes` lie between the
/// beginnings of two rows of each. REQUIRES: element_bytes is 2 or 4, both sides aligned to it, no
/// overlap.
void transpose(const std::byte* x, std::size_t element_bytes, std::size_t n_rows,
               std::size_t n_columns, std::size_t row_bytes, std::byte* out,
               std::size_t out_row_bytes);

}  // namespace lq::kernels
