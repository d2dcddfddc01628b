#include "tools/lq-fetch/fetch_run.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <map>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/json_file.h"
#include "common/io/place.h"
#include "common/net/file_check.h"
#include "common/parallel/memory.h"
#include "common/stage/host.h"
#include "common/stage/output_lock.h"
#include "tools/lq-fetch/bring.h"
#include "tools/lq-fetch/preflight.h"
#include "tools/lq-fetch/record.h"
#include "tools/lq-fetch/reuse.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {
namespace {

namespace fs = std::filesystem;

/// One run that brings files.
class FetchRun {
 public:
  explicit FetchRun(const Session& session)
      : session_(session), started_(std::chrono::steady_clock::now()) {}
  cli::ToolResult run();

 private:
  bool is_current() const;
  bool is_writable() const;
  bool is_whole() const;
  cli::ToolResult up_to_date();
  stage::OutputLock lock() const;
  void complete();
  void warn_of_wrong(const std::vector<net::RepoFile>& files) const;
  void warn_of_custom_code() const;
  void finish();
  cli::ToolResult result(stage::ResultStatus status);
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  }

  const Session& session_;
  const std::chrono::steady_clock::time_point started_;
  std::unique_ptr<net::Destination> destination_;
  Snapshot snapshot_;
  Record record_;
  FetchPlan plan_;
  stage::Plan work_;  // what of it is downloaded
  std::uint64_t received_ = 0;
};

cli::ToolResult FetchRun::run() {
  const std::unique_ptr<net::HubClient> hub = session_.connect();
  const std::string commit = resolve_commit(session_, hub.get());
  destination_ = session_.destination(commit);
  snapshot_ = choose(session_, *destination_, commit, hub.get());
  record_ = Record::read(*destination_, commit);
  plan_ = make_plan(session_, *destination_, snapshot_);
  if (hub == nullptr) {
    require_complete(session_, *destination_, snapshot_, record_);
    return result(stage::ResultStatus::kUpToDate);
  }
  if (is_current()) return up_to_date();
  if (!is_writable() && is_whole()) {
    session_.observer->message(fmt::format("{} cannot be written: it is whole, and used as it is",
                                           base::shown(destination_->directory())));
    return result(stage::ResultStatus::kUpToDate);
  }
  check_writable(*destination_);
  check_disk(session_, *destination_, plan_.missing);
  check_access(session_, commit, plan_.missing, *hub);
  if (session_.common->stage.dry_run) {
    require_replaceable(session_, *destination_, plan_.missing);
    stage::probe_lock(destination_->directory(), destination_->lock(), stage::LockMode::kExclusive);
    return result(stage::ResultStatus::kPlanned);
  }
  destination_->prepare();
  const stage::OutputLock held = lock();
  record_ = Record::read(*destination_, commit);  // another run may have just finished
  if (is_current()) return up_to_date();
  complete();
  finish();
  return result(stage::ResultStatus::kMade);
}

bool FetchRun::is_writable() const {
  return io::write_problem(destination_->manifest()) == 0 &&
         io::write_problem(destination_->lock()) == 0;
}

bool FetchRun::is_current() const {
  return !session_.common->stage.force &&
         std::ranges::all_of(snapshot_.chosen, [this](const net::RepoFile& file) {
           return record_.holds(*destination_, file);
         });
}

/// Also where no run of ours has recorded it: every file is hashed.
bool FetchRun::is_whole() const {
  const auto can_be_told = [this](const net::RepoFile& file) {
    return !file.etag().empty() || record_.holds(*destination_, file);
  };
  return !session_.common->stage.force && std::ranges::all_of(snapshot_.chosen, can_be_told) &&
         first_missing(session_, *destination_, snapshot_, record_) == nullptr;
}

cli::ToolResult FetchRun::up_to_date() {
  if (!session_.common->stage.dry_run && is_writable()) {
    destination_->remember(session_.repo.revision);
  }
  return result(stage::ResultStatus::kUpToDate);
}

stage::OutputLock FetchRun::lock() const {
  stage::LockRequest request{.output = destination_->directory(),
                             .path = destination_->lock(),
                             .argv = session_.common->argv};
  request.wait_seconds = session_.common->stage.wait_seconds.value_or(0);
  request.stop = session_.stop_reason;
  request.waiting = [this](const std::string& holder) {
    session_.observer->message(fmt::format("waiting for another run ({})", holder));
  };
  return stage::OutputLock(std::move(request));
}

/// Brings what is not here. Nothing of the user's is touched before all of it is known to be
/// replaceable.
void FetchRun::complete() {
  destination_->note_files(snapshot_.all);
  const auto others = keep_what_is_right(session_, *destination_, snapshot_, record_);
  require_replaceable(session_, *destination_, others);
  warn_of_wrong(others);
  if (record_.files().empty()) leave_older_commit(session_, *destination_, snapshot_);
  const auto missing = take_from_cache(session_, *destination_, snapshot_, others);
  settle_partials(session_, *destination_, snapshot_, missing);
  work_ = plan_.plan;
  received_ = bring(session_, *destination_, snapshot_, missing, work_);
}

/// Of files that look like the Hub's and are not.
void FetchRun::warn_of_wrong(const std::vector<net::RepoFile>& files) const {
  for (const net::RepoFile& file : files) {
    const auto places = destination_->candidates(file);
    if (places.empty()) continue;
    session_.observer->warning(
        fmt::format("{} is fetched again", base::escape_controls(file.path)),
        fmt::format("{} is not known to be what the Hub lists", base::shown(places.front())));
  }
}

/// Such a model runs Python of its own, which is not fetched.
void FetchRun::warn_of_custom_code() const {
  for (const net::RepoFile& file : snapshot_.chosen) {
    if (fs::path(file.path).filename() != "config.json") continue;
    try {
      const nlohmann::json config = io::read_json_file(destination_->directory() / file.path);
      if (!config.is_object() || !config.contains("auto_map")) continue;
    } catch (const base::QuantizationError&) {  // the next tool says what is wrong with it
      continue;
    }
    session_.observer->warning(fmt::format("the model has code of its own (auto_map in {})",
                                           base::escape_controls(file.path)),
                               "it was not fetched, and these tools do not run it");
  }
}

void FetchRun::finish() {
  warn_of_custom_code();
  destination_->remember(session_.repo.revision);
  std::map<std::string, std::string> sha256;
  for (const net::RepoFile& file : snapshot_.chosen) {
    if (file.in_lfs()) continue;
    sha256[file.path] = net::sha256_of(destination_->directory() / file.path, session_.keep_going);
  }
  write_record(session_, *destination_, snapshot_, record_, plan_.plan,
               {.seconds = seconds(),
                .cpu_seconds = stage::cpu_seconds(),
                .peak_rss = parallel::peak_rss(),
                .bound_by = "network"},
               sha256);
}

cli::ToolResult FetchRun::result(stage::ResultStatus status) {
  stage::StageReport report;
  report.status = {status};
  report.paths = {destination_->directory()};
  const fs::path manifest = destination_->manifest();
  report.manifests = {io::file_status(manifest) ? manifest : fs::path()};
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
  session_.observer->finished(plan_.plan, report);
  cli::ToolResult result = cli::result_of(plan_.plan, report);
  result.json["repo"] = session_.repo.id;
  result.json["commit"] = snapshot_.commit;
  return result;
}

}  // namespace

cli::ToolResult fetch(const Session& session) { return FetchRun(session).run(); }

}  // namespace lq::fetch
