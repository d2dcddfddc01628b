#pragma once
// One result in the course of a run.

#include <optional>
#include <vector>

#include "common/stage/journal.h"
#include "common/stage/layout.h"
#include "common/stage/output_lock.h"
#include "common/stage/part_files.h"
#include "common/stage/paths.h"

namespace lq::stage {

struct ResultRun {
  std::size_t index = 0;  // into Plan::results
  const ResultPlan* plan = nullptr;
  ResultPaths paths;
  ResultLayout layout;
  std::vector<OutputLock> locks;
  std::optional<PartFiles> part;
  std::optional<JournalWriter> journal;
  std::vector<char> done;  // per unit of the layout: finished by an earlier run

  /// The unit's number here when this run has to make it for this result.
  std::optional<std::size_t> wanted(std::size_t unit) const {
    const auto number = layout.number_of[unit];
    return number && done[*number] == 0 ? number : std::nullopt;
  }
};

}  // namespace lq::stage
