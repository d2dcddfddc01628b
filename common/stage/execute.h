#pragma once
// The execution of pending units: workers, recorder, stop requests.

#include <cstddef>
#include <functional>
#include <vector>

#include "common/stage/result_run.h"
#include "common/stage/run_stage.h"

namespace lq::stage {

struct Execution {
  const Plan* plan = nullptr;
  const StageOptions* options = nullptr;
  UnitWork* work = nullptr;
  StageObserver* observer = nullptr;  // calls come from one thread at a time
  const StopCondition* stop = nullptr;
  std::vector<ResultRun*> runs;
  std::vector<std::size_t> pending;  // units to run, ascending
  std::size_t units_kept = 0, units_total = 0;
  /// Called for each extent whose bytes are on disk; may be empty.
  std::function<void(std::size_t result, const Extent& extent)> durable;
};

/// Returns when all pending units are recorded. Throws Interrupted after a stop request,
/// OutOfMemoryError for a bad_alloc, whatever the work throws; everything finished before is
/// recorded then.
void execute(const Execution& execution);

}  // namespace lq::stage
