#include "common/tensor/grid.h"

namespace lq::tensor {

float BlockGrid::offset(int s) const {
  if (code_bias != 0) return scale(s) * static_cast<float>(code_bias);
  return dmin * static_cast<float>(sub_min[static_cast<std::size_t>(s)]);
}

}  // namespace lq::tensor
