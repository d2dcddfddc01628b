#include "common/verify/verdict.h"

#include <algorithm>
#include <cmath>

namespace lq::verify {

std::size_t Verdict::n_faults() const {
  return static_cast<std::size_t>(
      std::ranges::count(findings, base::Weight::kFault, &base::Finding::weight));
}

const Grade* Verdict::grade() const {
  if (!behaviour || !behaviour->compared) return nullptr;
  return &grade_of(*behaviour->compared);
}

double relative_error(const fidelity::Comparison& comparison) {
  double error = 0, energy = 0;
  for (const fidelity::TensorError& tensor : comparison.tensors) {
    if (!tensor.is_matrix || !tensor.problem.empty()) continue;
    error += tensor.sums.diff_sq;
    energy += tensor.sums.ww;
  }
  return energy > 0 ? std::sqrt(error / energy) : 0;
}

}  // namespace lq::verify
