#include "tools/lq-quant-gptq/tool.h"

#include <memory>
#include <optional>

#include "common/calibrate/calibrate.h"
#include "common/cli/version.h"
#include "common/kernels/target.h"
#include "tools/lq-quant-gptq/estimate.h"
#include "tools/lq-quant-gptq/plan.h"
#include "tools/lq-quant-gptq/unit.h"

namespace lq::quant_gptq {

const cli::ToolSpec& QuantGptq::spec() const {
  using base::ExitCode;
  static const cli::ToolSpec kSpec = {
      .name = "lq-quant-gptq",
      .operands = "MODEL",
      .summary = "Quantize a model directory with GPTQ, for vLLM and transformers.",
      .examples = {"lq-quant-gptq my-model --calibration my-model-calib -o my-model-gptq",
                   "lq-quant-gptq my-model --calibration my-model-calib --sequential",
                   "lq-quant-gptq my-model --bits 3 --group-size 32 --format compressed-tensors",
                   "for k in 1 2; do lq-quant-gptq my-model --calibration my-model-calib "
                   "--shard $k/2 & done; wait; "
                   "lq-quant-gptq my-model --calibration my-model-calib"},
      .exit_codes = {ExitCode::kDone, ExitCode::kConversion, ExitCode::kUsage, ExitCode::kNotFound,
                     ExitCode::kOutOfMemory, ExitCode::kValidation, ExitCode::kCheckpoint,
                     ExitCode::kOutput, ExitCode::kBusy, ExitCode::kUnsupported, ExitCode::kStopped,
                     ExitCode::kHangup, ExitCode::kInterrupted, ExitCode::kTerminated}};
  return kSpec;
}

void QuantGptq::declare(cli::OptionTable& table) { quant_gptq::declare(table, options_); }

void QuantGptq::validate(const std::vector<std::string>&, const cli::CommonOptions& common) {
  kernels::active_target();  // a wrong LQ_SIMD is found before anything is written
  request_ = check(options_, common.stage.shard);
}

cli::ToolResult QuantGptq::run(const std::vector<std::string>& operands,
                               const cli::CommonOptions& common, stage::StageObserver& observer) {
  stage::StageOptions stage = common.stage;
  std::string calibration = options_.calibration_dir;
  if (calibration.empty() && !options_.data_free) {
    // What the model cannot be made into is refused before minutes of work.
    stage::StageObserver silent;
    make_job(operands[0], "", options_, request_, std::string(cli::version()), common.output, stage,
             silent);
    observer.message("no --calibration: calibrating first, with the texts of the program");
    const calibrate::Caller caller{std::string(cli::version()), std::string(cli::commit()),
                                   common.argv};
    const stage::StageReport report =
        calibrate::calibrate(operands[0], {}, "", stage, caller, observer);
    if (report.status.front() != stage::ResultStatus::kPlanned) {
      calibration = report.paths.front().string();
    }
    if (stage.time_limit_seconds) *stage.time_limit_seconds -= report.seconds;
  }
  const std::unique_ptr<Job> job =
      make_job(operands[0], calibration, options_, request_, std::string(cli::version()),
               common.output, stage, observer);
  job->plan.version = cli::version();
  job->plan.commit = cli::commit();
  job->plan.argv = common.argv;
  GptqWork work(*job, stage, observer);
  const stage::StageReport report = stage::run_stage(job->plan, stage, work, observer);
  std::optional<double> seconds;
  if (stage.dry_run) seconds = estimated_seconds(*job, stage.n_threads);
  return cli::result_of(job->plan, report, seconds);
}

}  // namespace lq::quant_gptq
