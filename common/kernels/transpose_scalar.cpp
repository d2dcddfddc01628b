#include <algorithm>

#include "common/kernels/transpose_detail.h"

namespace lq::kernels::detail {

void transpose_reference(const std::byte* x, std::size_t element_bytes, std::size_t n_rows,
                         std::size_t n_columns, std::size_t row_bytes, std::byte* out,
                         std::size_t out_row_bytes) {
  for (std::size_t column = 0; column < n_columns; ++column) {
    for (std::size_t row = 0; row < n_rows; ++row) {
      std::copy_n(x + row * row_bytes + column * element_bytes, element_bytes,
                  out + column * out_row_bytes + row * element_bytes);
    }
  }
}

}  // namespace lq::kernels::detail
