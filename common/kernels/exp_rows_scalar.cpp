#include <algorithm>
#include <cmath>

#include "common/kernels/elements.h"
#include "common/kernels/exp_rows_detail.h"

namespace lq::kernels::detail {

float largest_value_reference(const float* x, std::size_t n) { return *std::max_element(x, x + n); }

float softmax_weights_reference(const float* scores, std::size_t n, float largest, float scale,
                                tensor::DType dtype, std::byte* out) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float weight = std::exp((scores[i] - largest) * scale);
    sum += weight;
    put_element(dtype, out, i, weight);
  }
  return sum;
}

void silu_product_reference(const float* gate, const float* up, std::size_t n, tensor::DType dtype,
                            std::byte* out) {
  for (std::size_t i = 0; i < n; ++i) {
    put_element(dtype, out, i, gate[i] / (1.0F + std::exp(-gate[i])) * up[i]);
  }
}

}  // namespace lq::kernels::detail
