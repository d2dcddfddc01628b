#pragma once
// What a GGUF file says of the importance matrix it was made with.

#include <string>

#include "common/calibration/importance_matrix.h"
#include "common/mix/gguf_file.h"

namespace lq::calibration {

/// `path` is written as the user gave it, as llama.cpp does.
mix::ImportanceFacts importance_facts(const ImportanceMatrix& matrix, const std::string& path);

}  // namespace lq::calibration
