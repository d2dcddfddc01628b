#include "common/linalg/reference.h"

namespace lq::linalg {

void multiply_reference(const ReferenceFactor& a, const ReferenceFactor& b,
                        const ReferenceShape& shape, float* c, std::size_t c_stride, Into into) {
  const auto* const x = reinterpret_cast<const float*>(a.data);
  const auto* const w = reinterpret_cast<const float*>(b.data);
  for (std::size_t i = 0; i < shape.rows; ++i) {
    for (std::size_t j = 0; j < shape.columns; ++j) {
      float& result = c[i * c_stride + j];
      double sum = into == Into::kAdd ? double{result} : 0.0;
      for (std::size_t k = 0; k < shape.terms; ++k) {
        sum +=
            double{x[i * a.row_step + k * a.sum_step]} * double{w[j * b.row_step + k * b.sum_step]};
      }
      result = static_cast<float>(sum);
    }
  }
}

}  // namespace lq::linalg
