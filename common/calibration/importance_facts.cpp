#include "common/calibration/importance_facts.h"

namespace lq::calibration {

ImportanceFacts importance_facts(const ImportanceMatrix& matrix,
                                 const std::filesystem::path& path) {
  return {.file = path.filename().string(),
          .dataset = matrix.datasets.empty() ? "" : matrix.datasets[0],
          .n_entries = static_cast<std::uint32_t>(matrix.entries.size()),
          .n_chunks = matrix.n_chunks};
}

}  // namespace lq::calibration
