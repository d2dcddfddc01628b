#pragma once
// What a run will need: memory, the share of each unit in its time, and for --dry-run the time.

#include <cstdint>
#include <string>

#include "common/quantizer/job.h"

namespace lq::quantizer {

/// Bytes in use at the peak.
std::uint64_t needed_memory(const Job& job, int n_threads);
/// What would need less, for the message where it is not there.
std::string memory_advice(const Job& job, int n_threads);

/// Of a group, in bytes that could be copied meanwhile.
double cost_of(const Job& job, const Group& group);

/// Seconds, rough: a product of ordinary size is timed here and now.
double estimated_seconds(const Job& job, int n_threads);

}  // namespace lq::quantizer
