#pragma once
// Checks that need no work: places, memory, disk. They fail before anything is written.

#include <span>

#include "common/stage/paths.h"
#include "common/stage/plan.h"

namespace lq::stage {

/// Throws UsageError when a result is one of the inputs, lies inside one, or holds one.
void check_places(const Plan& plan);
/// `file` is written beside the results, where `option` says. Throws UsageError when it is one of
/// them or of the inputs, or lies in a directory that is one; OutputError when its directory is not
/// writable.
void check_side_file(const Plan& plan, const std::filesystem::path& file,
                     const std::string& option);
/// Throws OutOfMemoryError when the plan needs more than `limit` (0 = not known).
void check_memory(const Plan& plan, std::uint64_t limit);
/// Throws OutputError when a directory is missing or not writable.
void check_directories(const ResultPaths& paths, const std::filesystem::path& checkpoint_dir);

/// A result that is still to be written, for check_disk().
struct DiskNeed {
  const ResultPlan* result = nullptr;
  const ResultPaths* paths = nullptr;
};
/// Throws OutputError when the results do not fit the free space (what parts already take counts
/// for them) or a file is larger than the process may write.
void check_disk(std::span<const DiskNeed> needs);

}  // namespace lq::stage
