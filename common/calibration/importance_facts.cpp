#include "common/calibration/importance_facts.h"

namespace lq::calibration {

mix::ImportanceFacts importance_facts(const ImportanceMatrix& matrix, const std::string& path) {
  return {.file = path,
          .dataset = matrix.datasets.empty() ? "" : matrix.datasets[0],
          .n_entries = static_cast<std::uint32_t>(matrix.entries.size()),
          .n_chunks = matrix.n_chunks};
}

}  // namespace lq::calibration
