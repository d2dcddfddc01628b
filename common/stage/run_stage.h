#pragma once
// Plan, execute, finalize: the frame that every tool that makes something runs in. See plan.h for
// the vocabulary and journal.h for what is on disk while a run is under way.

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "common/stage/plan.h"
#include "common/stage/stop.h"

namespace lq::stage {

/// A part of the units, for one of several processes or machines.
struct Shard {
  int index = 1, count = 1;  // 1 <= index <= count
};

struct StageOptions {
  int n_threads = 1;
  std::uint64_t memory_limit = 0;  // bytes; 0 = no limit known
  bool force = false, dry_run = false, resume = true;
  std::optional<Shard> shard;
  std::filesystem::path checkpoint_dir;  // empty = beside the output
  std::filesystem::path depfile;         // written by the caller after the run; empty = none
  std::optional<double> wait_seconds;    // for a busy lock; infinity = for ever
  std::optional<double> time_limit_seconds;
  double stop_grace_seconds = 10;  // how long running units may take to end after a stop request
  /// Called from another thread when a unit is still running after that time, the checkpoint being
  /// stored. It is expected to say so and end the process; without it, the run waits for the unit.
  std::function<void(const Interrupted&)> abandon;
};

/// Takes the bytes of one unit. Writing an extent of a result that is not `wanted` does nothing.
class UnitSink {
 public:
  virtual ~UnitSink() = default;
  virtual bool wanted(std::size_t result) const = 0;
  /// The whole extent of that result, once. REQUIRES: bytes.size() == the planned size.
  virtual void write(std::size_t result, std::span<const std::byte> bytes) = 0;
};

/// The work of a tool. run() is called from several threads at once, for different units.
class UnitWork {
 public:
  virtual ~UnitWork() = default;
  virtual void run(std::size_t unit, UnitSink& sink) = 0;
  /// Tool numbers for the manifest's `result` block once every unit is done; merged over
  /// ResultPlan::summary.
  virtual nlohmann::ordered_json result_numbers(std::size_t /*result*/) { return nullptr; }
  virtual std::uint64_t bytes_read() const { return 0; }
};

/// What happens during a run, for progress and logs. Calls come one at a time.
class StageObserver {
 public:
  virtual ~StageObserver() = default;
  virtual void planned(const Plan&, std::size_t /*units_kept*/) {}
  virtual void message(const std::string&) {
  }  // "resuming: ...", "up to date ...", "rebuilding: ..."
  virtual void warning(const std::string& /*what*/, const std::string& /*why*/) {}
  virtual void detail(const std::string&) {}  // for -vv
  virtual void unit_done(const Plan&, std::size_t /*unit*/, double /*seconds*/) {}
  /// What units that are not done yet have done, for tools whose units take long; counted as the
  /// plan measures.
  virtual void advanced(std::uint64_t /*amount*/) {}
  virtual void finished(const Plan&, const struct StageReport&) {}
  /// The last call of a run, in whatever way it ends: its plan may be gone from then on.
  virtual void ended() {}
};

enum class ResultStatus { kMade, kUpToDate, kPlanned, kShardDone };

struct StageReport {
  std::vector<ResultStatus> status;          // per result
  std::vector<std::filesystem::path> paths;  // what to print per result (a shard: the part's path)
  std::vector<std::filesystem::path> manifests;  // empty path where none was written
  double seconds = 0, cpu_seconds = 0;
  std::uint64_t read_bytes = 0, written_bytes = 0, peak_rss = 0;
  std::string bound_by;  // "processor", "disk" or "memory"
};

/// Runs the plan. Throws the family of base/errors.h: OutputError (foreign file, not writable, disk
/// full), OutOfMemoryError (plan above the limit), BusyError (lock held), CheckpointError (journal
/// unusable), whatever the work throws, and Interrupted after a signal or the time limit, the
/// checkpoint stored.
StageReport run_stage(const Plan& plan, const StageOptions& options, UnitWork& work,
                      StageObserver& observer);

}  // namespace lq::stage
