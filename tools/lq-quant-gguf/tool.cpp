#include "tools/lq-quant-gguf/tool.h"

#include <optional>

#include "common/cli/version.h"
#include "common/kernels/target.h"
#include "tools/lq-quant-gguf/estimate.h"
#include "tools/lq-quant-gguf/plan.h"
#include "tools/lq-quant-gguf/unit.h"

namespace lq::quant_gguf {

const cli::ToolSpec& QuantGguf::spec() const {
  using base::ExitCode;
  static const cli::ToolSpec kSpec = {
      .name = "lq-quant-gguf",
      .operands = "MODEL",
      .summary = "Turn a Hugging Face model directory into GGUF files for llama.cpp, in one pass.",
      .examples = {"lq-quant-gguf my-model -t Q4_K_M",
                   "lq-quant-gguf my-model -t Q4_K_M,Q5_K_M,Q8_0 -o 'out/my-model-{type}.gguf'",
                   "lq-quant-gguf my-model -t Q2_K --imatrix my-model.imatrix.gguf",
                   "for k in 1 2 3; do lq-quant-gguf my-model -t Q6_K --shard $k/3 & done; wait; "
                   "lq-quant-gguf my-model -t Q6_K"},
      .exit_codes = {ExitCode::kDone, ExitCode::kConversion, ExitCode::kUsage, ExitCode::kNotFound,
                     ExitCode::kOutOfMemory, ExitCode::kValidation, ExitCode::kCheckpoint,
                     ExitCode::kOutput, ExitCode::kBusy, ExitCode::kUnsupported, ExitCode::kStopped,
                     ExitCode::kHangup, ExitCode::kInterrupted, ExitCode::kTerminated}};
  return kSpec;
}

void QuantGguf::declare(cli::OptionTable& table) { quant_gguf::declare(table, options_); }

void QuantGguf::validate(const std::vector<std::string>&, const cli::CommonOptions& common) {
  kernels::active_target();  // a wrong LQ_SIMD is found before anything is written
  request_ = check(options_, common.output);
}

cli::ToolResult QuantGguf::run(const std::vector<std::string>& operands,
                               const cli::CommonOptions& common, stage::StageObserver& observer) {
  Job job =
      make_job(operands[0], options_, request_, common.output, common.stage.n_threads, observer);
  job.plan.version = cli::version();
  job.plan.commit = cli::commit();
  job.plan.argv = common.argv;
  GgufWork work(job);
  const stage::StageReport report = stage::run_stage(job.plan, common.stage, work, observer);
  std::optional<double> seconds;
  if (common.stage.dry_run) seconds = estimated_seconds(job, common.stage.n_threads);
  return cli::result_of(job.plan, report, seconds);
}

}  // namespace lq::quant_gguf
