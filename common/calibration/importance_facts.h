#pragma once
// What a GGUF file says of the importance matrix it was made with (its quantize.imatrix.* keys).

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/calibration/importance_matrix.h"

namespace lq::calibration {

struct ImportanceFacts {
  std::string file;     // its name; llama.cpp writes the path, but bytes must not depend on places
  std::string dataset;  // may be empty
  std::uint32_t n_entries = 0, n_chunks = 0;
};

ImportanceFacts importance_facts(const ImportanceMatrix& matrix, const std::filesystem::path& path);

}  // namespace lq::calibration
