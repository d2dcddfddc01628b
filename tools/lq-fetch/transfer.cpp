#include "tools/lq-fetch/transfer.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <map>
#include <set>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/cli/version.h"
#include "common/io/atomic_file.h"
#include "common/io/copy_file.h"
#include "common/io/file_status.h"
#include "common/io/json_file.h"
#include "common/io/output_error.h"
#include "common/io/output_file.h"
#include "common/net/hub_cache.h"
#include "common/net/partial_file.h"
#include "common/parallel/memory.h"
#include "common/stage/host.h"
#include "common/stage/output_lock.h"
#include "tools/lq-fetch/check.h"
#include "tools/lq-fetch/record.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {
namespace {

namespace fs = std::filesystem;

/// One run that brings files.
class Transfer {
 public:
  explicit Transfer(const Session& session)
      : session_(session), started_(std::chrono::steady_clock::now()) {}
  cli::ToolResult run();

 private:
  bool is_current() const;
  void require_complete() const;
  void make_plan();
  void check_disk() const;
  void check_access();
  std::vector<net::RepoFile> take_what_is_here();
  bool take_from_cache(const net::RepoFile& file);
  void bring(const std::vector<net::RepoFile>& missing);
  void download(const std::vector<net::RepoFile>& missing);
  void warn_of_custom_code() const;
  void leave_older_commit() const;
  void require_replaceable(const std::vector<net::RepoFile>& files) const;
  void finish();
  cli::ToolResult result(stage::ResultStatus status);
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  }

  const Session& session_;
  const std::chrono::steady_clock::time_point started_;
  std::unique_ptr<net::HubClient> hub_;  // nullptr offline
  std::unique_ptr<net::Destination> destination_;
  Snapshot snapshot_;
  Record record_;
  stage::Plan plan_;
  std::vector<net::RepoFile> missing_;  // by their names and sizes; what is here may yet be wrong
  std::map<std::string, std::size_t> unit_of_;  // by path
  std::uint64_t received_ = 0;
  std::size_t files_done_ = 0;
};

cli::ToolResult Transfer::run() {
  hub_ = session_.connect();
  const std::string commit = resolve_commit(session_, hub_.get());
  destination_ = session_.destination(commit);
  snapshot_ = choose(session_, *destination_, commit, hub_.get());
  record_ = Record::read(*destination_, commit);
  make_plan();
  if (hub_ == nullptr) {
    require_complete();
    return result(stage::ResultStatus::kUpToDate);
  }
  if (is_current()) {
    if (!session_.common->stage.dry_run) destination_->remember(session_.repo.revision);
    return result(stage::ResultStatus::kUpToDate);
  }
  check_disk();
  check_access();
  if (session_.common->stage.dry_run) {
    stage::probe_lock(destination_->directory(), destination_->lock(), stage::LockMode::kExclusive);
    return result(stage::ResultStatus::kPlanned);
  }
  destination_->prepare();
  stage::LockRequest request{.output = destination_->directory(),
                             .path = destination_->lock(),
                             .argv = session_.common->argv};
  request.wait_seconds = session_.common->stage.wait_seconds.value_or(0);
  request.stop = session_.stop_reason;
  request.waiting = [this](const std::string& holder) {
    session_.observer->message(fmt::format("waiting for another run ({})", holder));
  };
  const stage::OutputLock lock(std::move(request));
  record_ = Record::read(*destination_, commit);  // another run may have just finished
  if (is_current()) {
    destination_->remember(session_.repo.revision);
    return result(stage::ResultStatus::kUpToDate);
  }
  if (record_.files().empty()) leave_older_commit();
  destination_->note_files(snapshot_.all);
  const std::vector<net::RepoFile> to_bring = take_what_is_here();
  require_replaceable(to_bring);
  bring(to_bring);
  finish();
  return result(stage::ResultStatus::kMade);
}

bool Transfer::is_current() const {
  return !session_.common->stage.force &&
         std::ranges::all_of(snapshot_.chosen, [this](const net::RepoFile& file) {
           return record_.holds(*destination_, file);
         });
}

/// Offline: what is not here cannot be fetched.
void Transfer::require_complete() const {
  for (const net::RepoFile& file : snapshot_.chosen) {
    const auto status = io::file_status(destination_->directory() / file.path);
    const bool whole = status && status->is_regular && status->size == file.size;
    if (whole &&
        (record_.holds(*destination_, file) ||
         content_is_right(destination_->directory() / file.path, file, session_.stop_reason))) {
      continue;
    }
    throw base::ModelNotFoundError(
        fmt::format("cannot find {} offline", session_.shown_repo()),
        fmt::format("{} is not in {}", base::escape_controls(file.path),
                    base::shown(destination_->directory())),
        "fetch the rest with a network: unset HF_HUB_OFFLINE and run the same command again");
  }
}

/// A manifest of another commit would vouch for a mixture if this run ends half-way, and files that
/// only that commit has (an index, its shards) would be taken for parts of this one.
void Transfer::leave_older_commit() const {
  const Record older = Record::read_any(*destination_);
  for (const RecordedFile& recorded : older.files()) {
    const bool same = std::ranges::any_of(snapshot_.all, [&](const net::RepoFile& file) {
      return file.path == recorded.file.path && file.etag() == recorded.file.etag();
    });
    const bool chosen = std::ranges::any_of(snapshot_.chosen, [&](const net::RepoFile& file) {
      return file.path == recorded.file.path;
    });
    if (same || chosen || !older.holds(*destination_, recorded.file)) continue;
    session_.observer->message(fmt::format("removing {}, which is of another commit",
                                           base::escape_controls(recorded.file.path)));
    fs::remove(destination_->directory() / recorded.file.path);
  }
  fs::remove(destination_->manifest());
}

/// A file of the user's that is in the way is not ours to replace.
void Transfer::require_replaceable(const std::vector<net::RepoFile>& files) const {
  if (session_.common->stage.force) return;
  for (const net::RepoFile& file : files) {
    if (!destination_->is_foreign(file)) continue;
    const fs::path place = destination_->directory() / file.path;
    throw base::OutputError(
        fmt::format("cannot write {}", base::shown(place)),
        "a file is there that these tools did not make, and its content is not the Hub's",
        "move it away, choose another directory with -o, or replace it with --force");
  }
}

void Transfer::make_plan() {
  const Options& options = *session_.options;
  plan_.tool = "lq-fetch";
  plan_.version = cli::version();
  plan_.commit = cli::commit();
  plan_.argv = session_.common->argv;
  stage::ResultPlan result;
  result.tool = plan_.tool;
  result.kind = stage::ResultKind::kDirectory;
  result.path = destination_->directory();
  result.options = {{"repo", session_.repo.id},
                    {"commit", snapshot_.commit},
                    {"include", options.wishes.include},
                    {"exclude", options.wishes.exclude},
                    {"subfolder", options.wishes.subfolder},
                    {"allow-unsafe", options.wishes.allow_unsafe}};
  for (std::size_t i = 0; i < snapshot_.chosen.size(); ++i) {
    const net::RepoFile& file = snapshot_.chosen[i];
    result.files.push_back({file.path, file.size});
    if (destination_->present(file)) continue;
    missing_.push_back(file);
    unit_of_[file.path] = plan_.units.size();
    plan_.units.push_back({file.path, static_cast<double>(file.size), {{0, i, 0, file.size}}});
    plan_.read_bytes += file.size;
  }
  plan_.results.push_back(std::move(result));
}

void Transfer::check_disk() const {
  fs::path place = destination_->directory();
  while (!io::file_status(place) && place.has_relative_path()) place = place.parent_path();
  const auto free = io::free_space(place);
  if (!free) return;
  constexpr std::uint64_t kSpare = std::uint64_t{1} << 30;
  const std::uint64_t usable = *free - std::min(*free / 100, kSpare);
  std::uint64_t needed = 0;
  for (const net::RepoFile& file : missing_) {
    needed += file.size - std::min(file.size, destination_->bytes_on_the_way(file));
  }
  if (needed <= usable) return;
  throw base::OutputError(fmt::format("cannot fetch {} into {}", session_.repo.id,
                                      base::shown(destination_->directory())),
                          fmt::format("it needs {} more, and {} are free there",
                                      base::format_bytes(needed), base::format_bytes(usable)),
                          "free space, or fetch to another disk with -o DIR or HF_HUB_CACHE");
}

/// What refuses the smallest file refuses the others as well.
void Transfer::check_access() {
  const auto smallest =
      std::ranges::min_element(missing_, {}, [](const net::RepoFile& file) { return file.size; });
  if (smallest == missing_.end()) return;
  hub_->check_access(session_.repo.id, snapshot_.commit, *smallest);
}

/// Adopts the chosen files that lie here and are right, and returns the others.
std::vector<net::RepoFile> Transfer::take_what_is_here() {
  std::vector<net::RepoFile> missing;
  for (const net::RepoFile& file : snapshot_.chosen) {
    if (!session_.common->stage.force && record_.holds(*destination_, file)) continue;
    const auto place = destination_->present(file);
    if (place && content_is_right(*place, file, session_.stop_reason)) {
      destination_->adopt(file);
    } else if (!take_from_cache(file)) {
      if (place) {
        session_.observer->warning(
            fmt::format("{} is fetched again", base::escape_controls(file.path)),
            fmt::format("{} does not have the hash that the Hub lists", base::shown(*place)));
      }
      missing.push_back(file);
    }
  }
  return missing;
}

bool Transfer::take_from_cache(const net::RepoFile& file) {
  if (session_.output.empty()) return false;
  const net::HubCache cache(session_.settings.cache, session_.repo.id, snapshot_.commit,
                            session_.settings.symlinks);
  const auto place = cache.present(file);
  if (!place) return false;
  if (!content_is_right(*place, file, session_.stop_reason)) return false;
  const net::DownloadTask task = destination_->task(file);
  const auto how = session_.options->hard_link ? io::CopyMethod::kLink : io::CopyMethod::kCopy;
  io::copy_file(fs::canonical(*place), task.partial, how);
  io::OutputFile(task.partial).sync();
  task.publish();
  fs::remove(task.journal);
  return true;
}

void Transfer::bring(const std::vector<net::RepoFile>& missing) {
  std::vector<net::RepoFile> rest;
  for (const net::RepoFile& file : missing) {
    const auto text = snapshot_.texts.find(file.path);
    if (text == snapshot_.texts.end()) {
      rest.push_back(file);
      continue;
    }
    const net::DownloadTask task = destination_->task(file);
    io::write_file_atomically(task.partial, text->second);
    task.publish();
  }
  try {
    download(rest);
  } catch (const net::Stopped&) {
    throw stage::Interrupted(session_.stop_reason(), files_done_, rest.size());
  }
}

void Transfer::download(const std::vector<net::RepoFile>& missing) {
  std::vector<net::DownloadTask> tasks;
  std::vector<net::RepoFile> same;  // content of a file that is fetched under another name
  std::set<fs::path> partials;
  std::uint64_t kept = 0;
  for (const net::RepoFile& file : missing) {
    net::DownloadTask task = destination_->task(file);
    kept += net::PartialFile::bytes_kept(file, task.partial, task.journal);
    if (partials.insert(task.partial).second) {
      tasks.push_back(std::move(task));
    } else {
      same.push_back(file);
    }
  }
  session_.observer->planned(plan_,
                             plan_.units.size() - std::min(plan_.units.size(), missing.size()));
  if (session_.common->stage.resume && kept > 0) {
    session_.observer->message(
        fmt::format("resuming: {} are here already", base::format_bytes(kept)));
  }
  const Options& options = *session_.options;
  const net::DownloadSettings settings = {
      .id = session_.repo.id,
      .commit = snapshot_.commit,
      .connections = static_cast<int>(options.connections),
      .segment_bytes = options.segment_bytes,
      .resume = session_.common->stage.resume,
      .bytes_per_second = static_cast<double>(options.bytes_per_second)};
  net::DownloadEvents events;
  events.received = [this](std::uint64_t bytes) {
    received_ += bytes;
    session_.observer->advanced(bytes);
  };
  events.warning = [this](const std::string& what, const std::string& why) {
    session_.observer->warning(what, why);
  };
  events.file_done = [this](const net::RepoFile& file) {
    ++files_done_;
    const auto unit = unit_of_.find(file.path);
    if (unit != unit_of_.end()) session_.observer->unit_done(plan_, unit->second, seconds());
  };
  net::download(session_.access, tasks, settings, events);
  for (const net::RepoFile& file : same) destination_->adopt(file);
}

/// Such a model runs Python of its own, which is not fetched.
void Transfer::warn_of_custom_code() const {
  const fs::path config = destination_->directory() / "config.json";
  if (!io::file_status(config)) return;
  try {
    const nlohmann::json parsed = io::read_json_file(config);
    if (!parsed.is_object() || !parsed.contains("auto_map")) return;
  } catch (const base::QuantizationError&) {  // the next tool says what is wrong with it
    return;
  }
  session_.observer->warning("the model has code of its own (auto_map in config.json)",
                             "it was not fetched, and these tools do not run it");
}

void Transfer::finish() {
  warn_of_custom_code();
  destination_->remember(session_.repo.revision);
  std::map<std::string, std::string> sha256;
  for (const net::RepoFile& file : snapshot_.chosen) {
    if (file.in_lfs()) continue;
    sha256[file.path] = sha256_of(destination_->directory() / file.path, session_.stop_reason);
  }
  write_record(session_, *destination_, snapshot_, record_, plan_,
               {.seconds = seconds(),
                .cpu_seconds = stage::cpu_seconds(),
                .peak_rss = parallel::peak_rss(),
                .bound_by = "network"},
               sha256);
}

cli::ToolResult Transfer::result(stage::ResultStatus status) {
  stage::StageReport report;
  report.status = {status};
  report.paths = {destination_->directory()};
  report.manifests = {destination_->manifest()};
  report.seconds = seconds();
  report.cpu_seconds = stage::cpu_seconds();
  report.read_bytes = report.written_bytes = received_;
  report.peak_rss = parallel::peak_rss();
  report.bound_by = "network";
  if (status == stage::ResultStatus::kUpToDate) {
    session_.observer->message(record_.made_at().empty()
                                   ? "up to date"
                                   : fmt::format("up to date (made {} by lq-fetch {})",
                                                 record_.made_at(), record_.made_by()));
  }
  session_.observer->finished(plan_, report);
  cli::ToolResult result = cli::result_of(plan_, report);
  result.json["repo"] = session_.repo.id;
  result.json["commit"] = snapshot_.commit;
  return result;
}

}  // namespace

cli::ToolResult fetch(const Session& session) { return Transfer(session).run(); }

}  // namespace lq::fetch
