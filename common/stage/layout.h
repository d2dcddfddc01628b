#pragma once
// One result's units, and the bytes that no unit fills.

#include <cstddef>
#include <optional>
#include <vector>

#include "common/stage/plan.h"
#include "common/stage/run_stage.h"

namespace lq::stage {

/// A unit as one result sees it.
struct ResultUnit {
  std::size_t unit = 0;  // index into Plan::units
  Extent extent;
};

struct ResultLayout {
  std::vector<ResultUnit> units;  // in the plan's order; positions in here number them
  std::vector<std::optional<std::size_t>> number_of;  // per Plan::units: its position in `units`
  std::vector<Extent> gaps;                           // zero padding between extents
};

/// Throws std::logic_error when extents overlap or leave their file: a fault of the tool, not of
/// its inputs.
ResultLayout layout_of(const Plan& plan, std::size_t result);

/// The shard of each unit, 1 to `count`: neighbours together, shards of about equal cost, the same
/// on every machine.
std::vector<int> cut_by_cost(const std::vector<Unit>& units, int count);

/// Per unit: whether a run of this shard (none: of the whole) has it.
std::vector<char> units_of_shard(const Plan& plan, const std::optional<Shard>& shard);

}  // namespace lq::stage
