#include "common/kernels/elements.h"
#include "common/kernels/token_rows_detail.h"

namespace lq::kernels::detail {

double sum_of_squares_reference(const float* x, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += double{x[i]} * double{x[i]};
  return sum;
}

void scale_row_reference(const float* x, float scale, const float* weight, std::size_t n,
                         tensor::DType dtype, std::byte* out) {
  for (std::size_t i = 0; i < n; ++i) put_element(dtype, out, i, x[i] * scale * weight[i]);
}

void rotate_heads_reference(float* heads, std::size_t n_heads, std::size_t half, std::size_t first,
                            const float* cos, const float* sin) {
  for (std::size_t head = 0; head < n_heads; ++head) {
    float* const low = heads + head * 2 * half;
    float* const high = low + half;
    for (std::size_t i = first; i < half; ++i) {
      const float a = low[i], b = high[i];
      low[i] = a * cos[i] - b * sin[i];
      high[i] = b * cos[i] + a * sin[i];
    }
  }
}

}  // namespace lq::kernels::detail
