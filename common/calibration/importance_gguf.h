#pragma once
// The GGUF form of an importance matrix (importance_matrix.h has the layout).

#include <filesystem>

#include "common/calibration/importance_matrix.h"

namespace lq::calibration {

/// Throws ModelNotFoundError, ValidationError. The values are not checked.
ImportanceMatrix read_importance_gguf(const std::filesystem::path& path);

}  // namespace lq::calibration
