#include "common/linalg/numeric_class.h"

#include <fmt/format.h>

#include "common/kernels/target.h"
#include "common/linalg/cholesky.h"
#include "common/linalg/onednn.h"

namespace lq::linalg {

std::string numeric_class() {
  return fmt::format("oneDNN {}, {}, {}", onednn::description(), blas_description(),
                     kernels::active_target());
}

}  // namespace lq::linalg
