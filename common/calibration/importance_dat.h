#pragma once
// The older .dat form of an importance matrix (importance_matrix.h has the layout).

#include "common/calibration/importance_matrix.h"
#include "common/io/input_file.h"

namespace lq::calibration {

/// Throws ValidationError. The values are not checked.
ImportanceMatrix read_importance_dat(const io::InputFile& file);

}  // namespace lq::calibration
