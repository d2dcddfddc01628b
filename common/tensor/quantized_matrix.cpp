#include "common/tensor/quantized_matrix.h"

namespace lq::tensor {

QuantizedMatrix::QuantizedMatrix(std::size_t n_rows, std::size_t n_columns,
                                 std::size_t size_of_groups, int n_bits)
    : rows(n_rows),
      columns(n_columns),
      group_size(size_of_groups == 0 ? n_columns : size_of_groups),
      bits(n_bits),
      codes(rows * columns),
      scales(rows * n_groups()),
      zeros(rows * n_groups()) {}

}  // namespace lq::tensor
