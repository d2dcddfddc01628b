#pragma once
// What a calibration will need: memory, and for --dry-run the time.

#include <cstdint>
#include <string>

#include "common/calibrate/plan.h"

namespace lq::calibrate {

/// Bytes in use at the peak.
std::uint64_t needed_memory(const Job& job);
/// What would need less, for the message where it is not there.
std::string memory_advice(const Job& job);

/// Multiplications with their additions, of all units.
double multiply_adds(const Job& job);

/// Seconds, rough: a product of ordinary size is timed here and now.
double estimated_seconds(const Job& job);

}  // namespace lq::calibrate
