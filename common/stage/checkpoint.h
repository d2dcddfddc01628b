#pragma once
// What earlier runs left of an unfinished result, and how much of it still holds.

#include <functional>
#include <string>
#include <vector>

#include "common/stage/journal.h"
#include "common/stage/layout.h"
#include "common/stage/part_files.h"
#include "common/stage/paths.h"

namespace lq::stage {

struct Checkpoint {
  /// Per unit of the layout: the hashes that journals record for its bytes; none = not finished.
  std::vector<std::vector<std::string>> hashes;
  /// Bytes of this run's own journal to continue after; empty = start a new one.
  std::optional<std::uint64_t> own_intact_bytes;
  std::vector<std::filesystem::path> discarded;  // journals to remove before work
  bool begun = false;  // a journal of this plan was found: what lies in the part is of use

  std::size_t units_kept() const;
};

/// The journal that this run appends to.
std::filesystem::path own_journal(const ResultPaths& paths, const StageOptions& options);

/// Reads all journals of the result, changing nothing. Throws CheckpointError when one cannot be
/// used and is not to be discarded (`force`); without part files nothing is kept and nothing is
/// wrong.
Checkpoint load_checkpoint(const ResultPlan& result, const ResultPaths& paths,
                           const ResultLayout& layout, const StageOptions& options);

/// Reads back the units that `selected` (by number in the layout) names and forgets those whose
/// bytes match no recorded hash; returns their numbers. `keep_going` is called often, from several
/// threads, and may throw.
std::vector<std::size_t> verify_checkpoint(Checkpoint& checkpoint, PartFiles& part,
                                           const ResultLayout& layout,
                                           const std::vector<std::size_t>& selected, int n_threads,
                                           const std::function<void()>& keep_going);

}  // namespace lq::stage
