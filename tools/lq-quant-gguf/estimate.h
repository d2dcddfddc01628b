#pragma once
// How long a run will take, for --dry-run.

#include "tools/lq-quant-gguf/plan.h"

namespace lq::quant_gguf {

/// Seconds, rough: each codec that the job uses is timed on a few rows here and now; reading and
/// writing are taken at the pace of an ordinary solid-state disk, and the slower of the two counts.
double estimated_seconds(const Job& job, int n_threads);

}  // namespace lq::quant_gguf
