#pragma once
// Products through oneDNN, one thread each: the one place that knows the library.

#include <cstddef>
#include <string>

#include "common/linalg/product.h"

namespace lq::linalg::onednn {

/// A factor in memory: [rows, columns] of the type of `compute`, `stride` elements between rows.
struct Factor {
  const std::byte* data = nullptr;
  std::size_t rows = 0, columns = 0, stride = 0;
};

/// c = a b^T, or c += a b^T. Where the processor has no bfloat16 products, the library's float32
/// ones do on the same values. REQUIRES: equal columns, not kReference.
void multiply(const Factor& a, const Factor& b, Compute compute, float* c, std::size_t c_stride,
              Into into);

/// Version and the best instruction set that it uses here: "2.6.3 avx512_core_bf16".
std::string description();

}  // namespace lq::linalg::onednn
