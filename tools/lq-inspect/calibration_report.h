#pragma once
// What a calibration directory holds. It is no model, so it has a report of its own.

#include <string>

#include "common/cli/result.h"

namespace lq::inspect {

/// Reads calibration.json; with `per_site` the sums of every layer too. Throws as
/// CalibrationDirectory.
cli::ToolResult calibration_report(const std::string& path, bool per_site);

}  // namespace lq::inspect
