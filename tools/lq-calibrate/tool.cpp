#include "tools/lq-calibrate/tool.h"

#include <memory>
#include <optional>

#include "common/calibrate/estimate.h"
#include "common/calibrate/imatrix.h"
#include "common/calibrate/plan.h"
#include "common/calibrate/unit.h"
#include "common/cli/version.h"
#include "common/kernels/target.h"

namespace lq::calibrate {

const cli::ToolSpec& Calibrate::spec() const {
  using base::ExitCode;
  static const cli::ToolSpec kSpec = {
      .name = "lq-calibrate",
      .operands = "MODEL",
      .summary =
          "Run texts through a model and keep what quantizers need to know of its "
          "activations.",
      .examples = {"lq-calibrate my-model",
                   "lq-calibrate my-model --data texts.txt -o my-model-calib",
                   "lq-calibrate my-model --stats diag --imatrix my-model.imatrix.gguf",
                   "for k in 1 2; do lq-calibrate my-model --shard $k/2 & done; wait; "
                   "lq-calibrate my-model"},
      .exit_codes = {ExitCode::kDone, ExitCode::kConversion, ExitCode::kUsage, ExitCode::kNotFound,
                     ExitCode::kOutOfMemory, ExitCode::kValidation, ExitCode::kCheckpoint,
                     ExitCode::kOutput, ExitCode::kBusy, ExitCode::kUnsupported, ExitCode::kStopped,
                     ExitCode::kHangup, ExitCode::kInterrupted, ExitCode::kTerminated}};
  return kSpec;
}

void Calibrate::declare(cli::OptionTable& table) { calibrate::declare(table, options_); }

void Calibrate::validate(const std::vector<std::string>&, const cli::CommonOptions& common) {
  kernels::active_target();  // a wrong LQ_SIMD is found before anything is written
  check(options_, common.stage.shard);
}

cli::ToolResult Calibrate::run(const std::vector<std::string>& operands,
                               const cli::CommonOptions& common, stage::StageObserver& observer) {
  const std::unique_ptr<Job> job =
      make_job(operands[0], options_, common.output, common.stage, observer);
  job->plan.version = cli::version();
  job->plan.commit = cli::commit();
  job->plan.argv = common.argv;
  const bool exports = !options_.imatrix.empty() && !common.stage.shard;
  if (exports) require_imatrix_place(job->plan, options_.imatrix, common.stage.force);
  CalibrateWork work(*job, observer);
  const stage::StageReport report = stage::run_stage(job->plan, common.stage, work, observer);
  if (exports && !common.stage.dry_run) write_imatrix(*job, options_.imatrix);
  std::optional<double> seconds;
  if (common.stage.dry_run && !job->importance) seconds = estimated_seconds(*job);
  cli::ToolResult result = cli::result_of(job->plan, report, seconds);
  if (exports) result.json["imatrix"] = options_.imatrix;
  return result;
}

}  // namespace lq::calibrate
