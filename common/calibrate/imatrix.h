#pragma once
// The importance matrix that --imatrix writes beside the calibration directory.

#include <filesystem>

#include "common/calibrate/plan.h"

namespace lq::calibrate {

/// Before work: throws UsageError when the file is an input or part of the result, OutputError when
/// it cannot be written or is there and no importance matrix (`force` replaces that too).
void require_imatrix_place(const stage::Plan& plan, const std::filesystem::path& path, bool force);

/// From the finished directory. A file that holds the same bytes is left alone.
void write_imatrix(const Job& job, const std::filesystem::path& path);

}  // namespace lq::calibrate
