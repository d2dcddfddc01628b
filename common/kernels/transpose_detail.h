#pragma once
// The plain reference of transpose.h.

#include <cstddef>

namespace lq::kernels::detail {

void transpose_reference(const std::byte* x, std::size_t element_bytes, std::size_t n_rows,
                         std::size_t n_columns, std::size_t row_bytes, std::byte* out,
                         std::size_t out_row_bytes);

}  // namespace lq::kernels::detail
