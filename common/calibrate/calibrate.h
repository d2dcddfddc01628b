#pragma once
// A whole calibration inside the process of another tool, which was given none.

#include <string>
#include <vector>

#include "common/calibrate/options.h"
#include "common/stage/run_stage.h"

namespace lq::calibrate {

/// Who calibrates, for the manifest.
struct Caller {
  std::string version, commit;
  std::vector<std::string> argv;
};

/// Calibrates `model_dir` into `output` (empty: MODEL-calib, as lq-calibrate names it) with the same
/// bytes as lq-calibrate, goes on with what it has begun, or finds it up to date. Of the report,
/// paths.front() is the directory; status.front() is kPlanned after a dry run, which writes nothing:
/// then there is no directory yet. `stage` is what the caller was given for its own result, of which
/// `force` and `shard` do not apply: what lies there is not replaced, and of several shards one
/// calibrates while the others wait. A time limit counts from now: the caller takes off
/// report.seconds. Options::imatrix is not regarded.
/// Throws, besides what reading the model and the texts and stage::run_stage() throw, OutputError
/// when something else, or a calibration with other options, lies at the place.
stage::StageReport calibrate(const std::string& model_dir, const Options& options,
                             const std::string& output, const stage::StageOptions& stage,
                             const Caller& caller, stage::StageObserver& observer);

}  // namespace lq::calibrate
