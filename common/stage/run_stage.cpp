#include "common/stage/run_stage.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/atomic_file.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"
#include "common/parallel/memory.h"
#include "common/stage/checkpoint.h"
#include "common/stage/execute.h"
#include "common/stage/existing_result.h"
#include "common/stage/file_hasher.h"
#include "common/stage/fingerprint.h"
#include "common/stage/host.h"
#include "common/stage/manifest.h"
#include "common/stage/preflight.h"
#include "common/stage/publish.h"
#include "common/stage/record.h"
#include "common/stage/result_run.h"
#include "common/stage/scratch_file.h"
#include "common/stage/serial_observer.h"

namespace lq::stage {
namespace {

// The steps of a run, in the order of run().
class StageRun {
 public:
  StageRun(const Plan& plan, const StageOptions& options, UnitWork& work, StageObserver& observer)
      : plan_(plan),
        options_(options),
        work_(work),
        observer_(observer),
        stop_(options.time_limit_seconds),
        hashes_([this] {
          const StopReason reason = stop_.reason();
          if (reason != StopReason::kNone) throw Interrupted(reason, 0, plan_.units.size());
        }) {}

  StageReport run();

 private:
  void start_report();
  bool settle_if_current(ResultRun& run);
  void preflight();
  void report_dry_run();
  void lock(ResultRun& run);
  void recover(ResultRun& run);
  void prepare(ResultRun& run);
  void open_part(ResultRun& run, const Checkpoint& checkpoint);
  void verify(ResultRun& run, Checkpoint& checkpoint);
  void open_journal(ResultRun& run, const Checkpoint& checkpoint);
  void choose_units();
  void work_through();
  void hash_in_background(const ResultRun& run, const Extent& extent);
  static void clear_scratch(const ResultRun& run);
  void finalize(ResultRun& run);
  void finish_numbers();

  void check_places_of(const std::vector<ResultRun*>& runs);
  void check_disk_for(const std::vector<ResultRun*>& runs) const;
  std::string prefix(const ResultRun& run) const;
  double seconds() const { return static_cast<double>(now_ns() - began_ns_) * 1e-9; }

  const Plan& plan_;
  const StageOptions& options_;
  UnitWork& work_;
  SerialObserver observer_;
  StopCondition stop_;
  KnownHashes hashes_;  // of results that lie there already
  std::int64_t began_ns_ = now_ns();
  double cpu_before_ = cpu_seconds();
  std::vector<ResultRun> results_;
  std::vector<ResultRun*> active_;  // not up to date
  std::vector<char> in_shard_;      // per unit
  std::vector<std::size_t> pending_;
  std::size_t units_total_ = 0, units_kept_ = 0;
  StageReport report_;
  // After the results, whose part files it reads: destroyed first.
  std::unique_ptr<FileHasher> hasher_;
  std::vector<std::vector<std::size_t>> hasher_files_;  // by result and file
};

StageReport StageRun::run() {
  check_places(plan_);
  if (!options_.depfile.empty()) check_side_file(plan_, options_.depfile, "--depfile");
  start_report();
  for (ResultRun& run : results_) {
    // A journal means that a run was cut short, maybe after the rename: that is settled under the
    // lock.
    const bool journal = io::file_status(run.paths.journal).has_value();
    if (journal || !settle_if_current(run)) active_.push_back(&run);
  }
  if (!active_.empty()) {
    preflight();
    if (options_.dry_run) {
      report_dry_run();
      return report_;
    }
    // In one order for all processes, so that two that wait for each other's outputs cannot wait
    // for ever.
    std::vector<ResultRun*> by_path = active_;
    std::ranges::sort(by_path, {}, [](const ResultRun* run) { return run->paths.output; });
    for (ResultRun* run : by_path) lock(*run);
    for (ResultRun* run : active_) recover(*run);
    std::erase_if(active_, [this](ResultRun* run) { return settle_if_current(*run); });
    check_places_of(active_);
    check_disk_for(active_);
    for (ResultRun* run : active_) prepare(*run);
    choose_units();
    work_through();
  }
  finish_numbers();
  observer_.finished(plan_, report_);
  return report_;
}

void StageRun::start_report() {
  in_shard_ = units_of_shard(plan_, options_.shard);
  results_.resize(plan_.results.size());
  for (std::size_t index = 0; index < results_.size(); ++index) {
    ResultRun& run = results_[index];
    run.index = index;
    run.plan = &plan_.results[index];
    run.paths = paths_of(*run.plan, options_.checkpoint_dir);
    run.layout = layout_of(plan_, index);
    run.done.assign(run.layout.units.size(), 0);
    report_.status.push_back(ResultStatus::kPlanned);
    report_.paths.push_back(run.paths.output);
    report_.manifests.emplace_back();
  }
}

std::string StageRun::prefix(const ResultRun& run) const {
  if (plan_.results.size() == 1) return "";
  return base::shown(run.paths.output.filename()) + ": ";
}

bool StageRun::settle_if_current(ResultRun& run) {
  if (options_.force) return false;
  const ExistingResult existing = examine_existing(*run.plan, run.paths, hashes_);
  if (!existing.current) return false;
  try {
    if (!options_.dry_run) settle_times(*run.plan, run.paths, existing);
  } catch (const base::OutputError& error) {
    observer_.warning(error.what(), error.why());
  }
  run.locks.clear();
  report_.status[run.index] = ResultStatus::kUpToDate;
  report_.manifests[run.index] = run.paths.manifest;
  observer_.message(prefix(run) + up_to_date_text(existing.manifest));
  return true;
}

void StageRun::preflight() {
  check_memory(plan_, options_.memory_limit);
  for (const ResultRun* run : active_) check_directories(run->paths, options_.checkpoint_dir);
}

// What is in the way, and why a result is made again.
void StageRun::check_places_of(const std::vector<ResultRun*>& runs) {
  for (const ResultRun* run : runs) {
    const ExistingResult existing = examine_existing(*run->plan, run->paths, hashes_);
    require_replaceable(existing, run->paths, options_.force);
    if (existing.state != ExistingState::kIntact) continue;
    const std::string why = existing.current    ? "--force"
                            : existing.complete ? differences(existing.manifest, *run->plan)
                                                : "the output is missing";
    observer_.message(fmt::format("{}rebuilding: {}", prefix(*run), why));
  }
}

void StageRun::check_disk_for(const std::vector<ResultRun*>& runs) const {
  std::vector<DiskNeed> needs;
  for (const ResultRun* run : runs) needs.push_back({run->plan, &run->paths});
  check_disk(needs);
}

void StageRun::report_dry_run() {
  std::size_t kept = 0;
  for (ResultRun* run : active_) {
    const auto final_line = [&] {
      try {
        return read_journal(run->paths.journal).final_manifest;
      } catch (const base::CheckpointError&) {
        return std::optional<nlohmann::json>();
      }
    }();
    const bool ours = final_line && publication_state(run->plan->kind, run->paths, *final_line) ==
                                        Publication::kBegun;
    if (!ours && settle_if_current(*run)) continue;
    if (!ours) check_places_of({run});
    probe_lock(run->paths.output, run->paths.lock,
               options_.shard ? LockMode::kShared : LockMode::kExclusive);
    if (!ours) kept += load_checkpoint(*run->plan, run->paths, run->layout, options_).units_kept();
  }
  check_disk_for(active_);
  observer_.planned(plan_, kept);
}

void StageRun::lock(ResultRun& run) {
  LockRequest request{.output = run.paths.output, .path = run.paths.lock, .argv = plan_.argv};
  request.wait_seconds = options_.wait_seconds.value_or(0);
  request.stop = [this] { return stop_.reason(); };
  request.waiting = [this, &run](const std::string& holder) {
    observer_.message(fmt::format("{}waiting for another run ({})", prefix(run), holder));
  };
  if (options_.shard) {
    LockRequest own = request;
    own.path = of_shard(run.paths.lock, *options_.shard);
    request.mode = LockMode::kShared;
    run.locks.emplace_back(std::move(own));
  }
  run.locks.emplace_back(std::move(request));
  if (options_.shard) return;
  // Nobody else is at work now: what lies here is of dead runs.
  for (const auto& lock : shard_files(run.paths.lock)) ::unlink(lock.c_str());
  io::remove_stale_temporaries(run.paths.journal);
  if (run.plan->kind == ResultKind::kFiles) io::remove_stale_temporaries(run.paths.manifest);
}

// Brings a run to its end that was killed after its journal's `final` line.
void StageRun::recover(ResultRun& run) {
  JournalContents contents;
  try {
    contents = read_journal(run.paths.journal);
  } catch (const base::CheckpointError&) {
    return;  // load_checkpoint() decides whether it is in the way
  }
  if (!contents.header || !contents.final_manifest) return;
  const nlohmann::json& manifest = *contents.final_manifest;
  const Publication state = publication_state(run.plan->kind, run.paths, manifest);
  const bool same_plan = text_or(*contents.header, "fingerprint", "") == run.plan->fingerprint();
  if (state == Publication::kImpossible || (state == Publication::kReady && !same_plan)) return;
  if (state == Publication::kReady) clear_scratch(run);
  publish(run.plan->kind, run.paths, manifest);
  remove_journals(run.paths);
  observer_.message(prefix(run) + "finished what an earlier run had left to do");
}

void StageRun::prepare(ResultRun& run) {
  Checkpoint checkpoint = load_checkpoint(*run.plan, run.paths, run.layout, options_);
  for (const auto& journal : checkpoint.discarded) ::unlink(journal.c_str());
  if (run.plan->kind == ResultKind::kDirectory && !checkpoint.begun && !options_.shard) {
    std::error_code ignored;  // what an abandoned run left there would become part of the result
    std::filesystem::remove_all(run.paths.part, ignored);
  }
  if (!run.plan->scratch.empty() && !options_.shard) {
    remove_scratch_temporaries(run.paths.part / run.plan->scratch);
  }
  open_part(run, checkpoint);
  verify(run, checkpoint);
  open_journal(run, checkpoint);
  for (std::size_t number = 0; number < run.done.size(); ++number) {
    run.done[number] = checkpoint.hashes[number].empty() ? 0 : 1;
  }
}

void StageRun::open_part(ResultRun& run, const Checkpoint& checkpoint) {
  try {
    run.part.emplace(*run.plan, run.paths, run.layout);
  } catch (const base::OutputError&) {
    // A part that could not be reserved in full would only keep the disk full.
    if (checkpoint.units_kept() == 0 && !options_.shard) {
      std::error_code ignored;
      for (const auto& part : run.paths.parts) std::filesystem::remove(part, ignored);
    }
    throw;
  }
}

void StageRun::verify(ResultRun& run, Checkpoint& checkpoint) {
  std::vector<std::size_t> selected;
  for (std::size_t number = 0; number < run.layout.units.size(); ++number) {
    const bool ours = in_shard_[run.layout.units[number].unit] != 0;
    if (ours && !checkpoint.hashes[number].empty()) selected.push_back(number);
  }
  const auto keep_going = [&] {
    const StopReason reason = stop_.reason();
    if (reason == StopReason::kNone) return;
    throw Interrupted(reason, checkpoint.units_kept(), run.layout.units.size());
  };
  const std::vector<std::size_t> damaged = verify_checkpoint(
      checkpoint, *run.part, run.layout, selected, options_.n_threads, keep_going);
  for (const std::size_t number : damaged) {
    const Unit& unit = plan_.units[run.layout.units[number].unit];
    observer_.warning(
        fmt::format("{}making {} again", prefix(run), base::escape_controls(unit.name)),
        "its bytes in the unfinished result do not match the hash in the journal");
  }
  if (!selected.empty()) {
    observer_.message(fmt::format("{}resuming: {} of {} units are kept", prefix(run),
                                  selected.size() - damaged.size(), run.layout.units.size()));
  }
}

void StageRun::open_journal(ResultRun& run, const Checkpoint& checkpoint) {
  const std::filesystem::path path = own_journal(run.paths, options_);
  if (checkpoint.own_intact_bytes) {
    run.journal.emplace(path, *checkpoint.own_intact_bytes);
    return;
  }
  nlohmann::json header = identity_of(*run.plan);
  header["version"] = plan_.version;
  run.journal.emplace(path, header);
}

void StageRun::choose_units() {
  units_total_ = units_kept_ = 0;
  for (std::size_t unit = 0; unit < plan_.units.size(); ++unit) {
    const auto has = [unit](const ResultRun* run) {
      return run->layout.number_of[unit].has_value();
    };
    if (in_shard_[unit] == 0 || std::ranges::none_of(active_, has)) continue;
    ++units_total_;
    const auto wants = [unit](const ResultRun* run) { return run->wanted(unit).has_value(); };
    if (std::ranges::any_of(active_, wants)) {
      pending_.push_back(unit);
    } else {
      ++units_kept_;
    }
  }
}

void StageRun::work_through() {
  if (active_.empty()) return;
  observer_.planned(plan_, units_kept_);
  Execution execution{.plan = &plan_,
                      .options = &options_,
                      .work = &work_,
                      .observer = &observer_,
                      .stop = &stop_,
                      .runs = active_,
                      .pending = pending_,
                      .units_kept = units_kept_,
                      .units_total = units_total_,
                      .durable = {}};
  if (!options_.shard) {
    hasher_ = std::make_unique<FileHasher>();
    hasher_files_.resize(plan_.results.size());
    for (ResultRun* run : active_) {
      auto& files = hasher_files_[run->index];
      files.resize(run->part->size());
      for (std::size_t file = 0; file < run->part->size(); ++file) {
        if (run->plan->files[file].is_open()) continue;
        files[file] = hasher_->add_file(run->part->file(file), run->plan->files[file].size);
      }
      for (const Extent& gap : run->layout.gaps) {
        hasher_->finished(files[gap.file], gap.offset, gap.size);
      }
      for (std::size_t number = 0; number < run->done.size(); ++number) {
        const Extent& extent = run->layout.units[number].extent;
        if (run->done[number] != 0) hash_in_background(*run, extent);
      }
    }
  }
  execution.durable = [this](std::size_t result, const Extent& extent) {
    report_.written_bytes += extent.size;
    if (hasher_) hash_in_background(results_[result], extent);
  };
  execute(execution);
  for (ResultRun* run : active_) {
    if (options_.shard) {
      report_.status[run->index] = ResultStatus::kShardDone;
      report_.paths[run->index] = run->paths.part;
    } else {
      finalize(*run);
    }
  }
}

void StageRun::hash_in_background(const ResultRun& run, const Extent& extent) {
  std::size_t& number = hasher_files_[run.index][extent.file];
  std::uint64_t size = extent.size;
  if (run.plan->files[extent.file].is_open()) {
    const io::OutputFile& file = run.part->file(extent.file);
    size = io::file_status(file.fd()).value_or(io::FileStatus{}).size;
    number = hasher_->add_file(file, size);
  }
  hasher_->finished(number, extent.offset, size);
}

/// Takes away what is of the run and not of the result.
void StageRun::clear_scratch(const ResultRun& run) {
  for (std::size_t file = 0; file < run.plan->files.size(); ++file) {
    if (run.plan->files[file].temporary) continue;
    if (run.plan->files[file].is_open()) io::remove_stale_temporaries(run.paths.parts[file]);
  }
  if (run.plan->scratch.empty()) return;
  std::error_code error;
  std::filesystem::remove_all(run.paths.part / run.plan->scratch, error);
  if (!error) return;
  throw io::output_error(
      fmt::format("cannot remove {}", base::shown(run.paths.part / run.plan->scratch)),
      error.value(), run.paths.part);
}

void StageRun::finalize(ResultRun& run) {
  run.part->sync_all();
  const bool directory = run.plan->kind == ResultKind::kDirectory;
  const std::filesystem::path root =
      directory ? run.paths.output : io::directory_of(run.paths.output);
  const auto keep_going = [this] {
    const StopReason reason = stop_.reason();
    if (reason != StopReason::kNone) throw Interrupted(reason, units_total_, units_total_);
  };
  std::vector<FileRecord> records;
  for (std::size_t file = 0; file < run.part->size(); ++file) {
    if (run.plan->files[file].temporary) continue;
    FileRecord record;
    record.path = run.paths.targets[file].lexically_relative(root);
    record.sha256 = hasher_->wait(hasher_files_[run.index][file], keep_going);
    const auto status = io::file_status(run.part->file(file).fd()).value_or(io::FileStatus{});
    record.size = status.size;
    record.mtime_ns = status.mtime_ns;
    records.push_back(std::move(record));
  }
  // Somebody may have put a file of theirs there meanwhile.
  require_replaceable(examine_existing(*run.plan, run.paths, hashes_), run.paths, options_.force);
  finish_numbers();
  const nlohmann::json manifest =
      make_manifest(plan_, *run.plan, work_.result_numbers(run.index), records,
                    {.seconds = report_.seconds,
                     .cpu_seconds = report_.cpu_seconds,
                     .peak_rss = report_.peak_rss,
                     .bound_by = report_.bound_by});
  // Whoever is killed before this line is in the journal works on with what lies in the scratch
  // folder.
  run.journal->append_final(manifest);
  clear_scratch(run);
  publish(run.plan->kind, run.paths, manifest);
  remove_journals(run.paths);
  run.locks.clear();
  report_.status[run.index] = ResultStatus::kMade;
  report_.manifests[run.index] = run.paths.manifest;
}

void StageRun::finish_numbers() {
  report_.seconds = seconds();
  report_.cpu_seconds = cpu_seconds() - cpu_before_;
  report_.peak_rss = parallel::peak_rss();
  report_.read_bytes = work_.bytes_read();
  const double busy =
      report_.cpu_seconds / std::max(report_.seconds * std::max(options_.n_threads, 1), 1e-9);
  const bool full =
      options_.memory_limit > 0 &&
      static_cast<double>(report_.peak_rss) > 0.9 * static_cast<double>(options_.memory_limit);
  report_.bound_by = busy > 0.75 ? "processor" : (full ? "memory" : "disk");
}

}  // namespace

StageReport run_stage(const Plan& plan, const StageOptions& options, UnitWork& work,
                      StageObserver& observer) {
  struct End {
    ~End() { observer.ended(); }
    StageObserver& observer;
  } const end{observer};
  return StageRun(plan, options, work, observer).run();
}

}  // namespace lq::stage
