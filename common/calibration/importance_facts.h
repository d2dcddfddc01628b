#pragma once
// What a GGUF file says of the importance matrix it was made with (its quantize.imatrix.* keys).

#include <cstdint>
#include <string>

#include "common/calibration/importance_matrix.h"

namespace lq::calibration {

struct ImportanceFacts {
  /// A hash of the values: llama.cpp writes a path, but bytes must not depend on places, nor on
  /// whether the values came from a file or from the calibration that it was exported from.
  std::string file;
  std::string dataset;  // may be empty
  std::uint32_t n_entries = 0, n_chunks = 0;
};

ImportanceFacts importance_facts(const ImportanceMatrix& matrix);

}  // namespace lq::calibration
