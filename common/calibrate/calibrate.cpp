#include "common/calibrate/calibrate.h"

#include <fmt/format.h>
#include <limits>
#include <memory>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibrate/plan.h"
#include "common/calibrate/unit.h"
#include "common/stage/existing_result.h"
#include "common/stage/fingerprint.h"

namespace lq::calibrate {
namespace {

constexpr const char* kFix =
    "name a calibration with --calibration (lq-calibrate -o makes one in another place), or move "
    "this one away";

/// A calibration is hours of work, and this one was not asked for by name: nothing is replaced.
void require_free_place(const stage::ResultPlan& result, const stage::StageOptions& stage) {
  stage::KnownHashes hashes([] {
    const stage::StopReason reason = stage::stop_requested();
    if (reason != stage::StopReason::kNone) throw stage::Interrupted(reason, 0, 0);
  });
  const stage::ExistingResult existing =
      stage::examine_existing(result, stage::paths_of(result, stage.checkpoint_dir), hashes);
  std::string why = existing.why;
  if (existing.state == stage::ExistingState::kIntact && existing.complete && !existing.current) {
    why = "a calibration of other inputs or options is there: " +
          stage::differences(existing.manifest, result);
  }
  if (why.empty()) return;
  throw base::OutputError(fmt::format("cannot calibrate into {}", base::shown(result.path)), why,
                          kFix);
}

}  // namespace

stage::StageReport calibrate(const std::string& model_dir, const Options& options,
                             const std::string& output, const stage::StageOptions& stage,
                             const Caller& caller, stage::StageObserver& observer) {
  stage::StageOptions own = stage;
  own.force = false;
  if (own.shard) own.wait_seconds = std::numeric_limits<double>::infinity();
  own.shard.reset();
  check(options, own.shard);
  const std::unique_ptr<Job> job = make_job(model_dir, options, output, own, observer);
  job->plan.version = caller.version;
  job->plan.commit = caller.commit;
  job->plan.argv = caller.argv;
  require_free_place(job->plan.results.front(), own);
  CalibrateWork work(*job, observer);
  try {
    return stage::run_stage(job->plan, own, work, observer);
  } catch (const base::CheckpointError& error) {
    throw base::CheckpointError(error.what(), error.why(), kFix);
  }
}

}  // namespace lq::calibrate
