#include "common/calibration/importance_facts.h"

#include <span>

#include "common/io/digest.h"

namespace lq::calibration {

ImportanceFacts importance_facts(const ImportanceMatrix& matrix) {
  io::Digest hash(io::Digest::Algorithm::kSha256);
  for (const auto& [name, entry] : matrix.entries) {
    hash.update(name);
    hash.update(std::as_bytes(std::span(entry.values)));
  }
  return {.file = "sha256:" + hash.hex(),
          .dataset = matrix.datasets.empty() ? "" : matrix.datasets[0],
          .n_entries = static_cast<std::uint32_t>(matrix.entries.size()),
          .n_chunks = matrix.n_chunks};
}

}  // namespace lq::calibration
