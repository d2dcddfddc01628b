#include "common/stage/checkpoint.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <tuple>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/parallel/parallel_for.h"
#include "common/stage/fingerprint.h"
#include "common/stage/record.h"

namespace lq::stage {
namespace {

using Place = std::tuple<std::size_t, std::uint64_t, std::uint64_t>;  // file, offset, size

bool any_part(const ResultPaths& paths) {
  return std::ranges::any_of(paths.parts,
                             [](const auto& part) { return io::file_status(part).has_value(); });
}

// Throws when the journal belongs to another plan.
void require_same_plan(const nlohmann::json& header, const ResultPlan& result,
                       const ResultPaths& paths) {
  if (text_or(header, "fingerprint", "") == result.fingerprint()) return;
  throw base::CheckpointError(
      fmt::format("cannot continue the unfinished {}", base::shown(paths.output)),
      fmt::format("it was begun with other inputs or options: {}", differences(header, result)),
      "restore the old ones, or discard what was done with --force");
}

}  // namespace

std::size_t Checkpoint::units_kept() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(hashes, [](const auto& recorded) { return !recorded.empty(); }));
}

std::filesystem::path own_journal(const ResultPaths& paths, const StageOptions& options) {
  return options.shard ? of_shard(paths.journal, *options.shard) : paths.journal;
}

Checkpoint load_checkpoint(const ResultPlan& result, const ResultPaths& paths,
                           const ResultLayout& layout, const StageOptions& options) {
  const std::filesystem::path own = own_journal(paths, options);
  std::vector<std::filesystem::path> journals = shard_files(paths.journal);
  journals.insert(journals.begin(), paths.journal);
  Checkpoint checkpoint;
  checkpoint.hashes.resize(layout.units.size());
  if (!options.resume || !any_part(paths)) {
    // A shard leaves the journals of others alone: they may be at work on a part that appears this
    // moment.
    checkpoint.discarded = options.shard ? std::vector{own} : journals;
    return checkpoint;
  }
  std::map<Place, std::size_t> number_at;
  for (std::size_t number = 0; number < layout.units.size(); ++number) {
    const Extent& extent = layout.units[number].extent;
    number_at[{extent.file, extent.offset, extent.size}] = number;
  }
  for (const auto& path : journals) {
    JournalContents contents;
    try {
      contents = read_journal(path);
      if (!contents.header) continue;
      require_same_plan(*contents.header, result, paths);
    } catch (const base::CheckpointError&) {
      if (!options.force) throw;
      checkpoint.discarded.push_back(path);
      continue;
    }
    checkpoint.begun = true;
    if (path == own) checkpoint.own_intact_bytes = contents.intact_bytes;
    for (const FinishedUnit& unit : contents.units) {
      const bool open = unit.file < result.files.size() && result.files[unit.file].is_open();
      const auto found = number_at.find({unit.file, unit.offset, open ? kOpenSize : unit.size});
      if (found != number_at.end()) checkpoint.hashes[found->second].push_back(unit.xxh3);
    }
  }
  return checkpoint;
}

std::vector<std::size_t> verify_checkpoint(Checkpoint& checkpoint, PartFiles& part,
                                           const ResultLayout& layout,
                                           const std::vector<std::size_t>& selected, int n_threads,
                                           const std::function<void()>& keep_going) {
  std::vector<char> damaged(selected.size(), 0);
  parallel::parallel_for(selected.size(), n_threads, [&](std::size_t index, int) {
    keep_going();
    const std::size_t number = selected[index];
    const auto& recorded = checkpoint.hashes[number];
    const std::string found = part.hash_of(layout.units[number].extent);
    damaged[index] = std::ranges::find(recorded, found) == recorded.end() ? 1 : 0;
  });
  std::vector<std::size_t> forgotten;
  for (std::size_t index = 0; index < selected.size(); ++index) {
    if (damaged[index] == 0) continue;
    forgotten.push_back(selected[index]);
    checkpoint.hashes[selected[index]].clear();
  }
  return forgotten;
}

}  // namespace lq::stage
