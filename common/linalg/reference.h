#pragma once
// The plain loops that define a product.

#include <cstddef>

#include "common/linalg/onednn.h"

namespace lq::linalg {

/// A float32 factor in memory, by the steps between its elements: of the row (a's rows, b's
/// columns of the result) and of the sum.
struct ReferenceFactor {
  const std::byte* data = nullptr;
  std::size_t row_step = 0, sum_step = 0;
};
struct ReferenceShape {
  std::size_t rows = 0, columns = 0, terms = 0;
};

/// c[i][j] = sum over k of a[i][k] b[j][k], or added to it, in float64.
void multiply_reference(const ReferenceFactor& a, const ReferenceFactor& b,
                        const ReferenceShape& shape, float* c, std::size_t c_stride, Into into);

}  // namespace lq::linalg
