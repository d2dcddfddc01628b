#include "tools/lq-quant-awq/tool.h"

#include <memory>

#include "common/cli/version.h"
#include "common/kernels/target.h"
#include "common/quantizer/run_quantizer.h"
#include "tools/lq-quant-awq/scaling.h"

namespace lq::quant_awq {

const cli::ToolSpec& QuantAwq::spec() const {
  using base::ExitCode;
  static const cli::ToolSpec kSpec = {
      .name = "lq-quant-awq",
      .operands = "MODEL",
      .summary =
          "Quantize a model directory to 4 bits in AutoAWQ's layout, for vLLM and transformers.",
      .examples = {"lq-quant-awq my-model --calibration my-model-calib -o my-model-awq",
                   "lq-quant-awq my-model --calibration my-model-calib --sequential",
                   "lq-calibrate my-model --data texts.json -o my-calib && "
                   "lq-quant-awq my-model --calibration my-calib --group-size 64",
                   "for k in 1 2; do lq-quant-awq my-model --calibration my-model-calib "
                   "--shard $k/2 & done; wait; "
                   "lq-quant-awq my-model --calibration my-model-calib"},
      .exit_codes = {ExitCode::kDone, ExitCode::kConversion, ExitCode::kUsage, ExitCode::kNotFound,
                     ExitCode::kOutOfMemory, ExitCode::kValidation, ExitCode::kCheckpoint,
                     ExitCode::kOutput, ExitCode::kBusy, ExitCode::kUnsupported, ExitCode::kStopped,
                     ExitCode::kHangup, ExitCode::kInterrupted, ExitCode::kTerminated}};
  return kSpec;
}

void QuantAwq::declare(cli::OptionTable& table) { quant_awq::declare(table, options_); }

void QuantAwq::validate(const std::vector<std::string>&, const cli::CommonOptions& common) {
  kernels::active_target();  // a wrong LQ_SIMD is found before anything is written
  request_ = check(options_, common.stage.shard);
  request_.preparation_bytes = [this](const quantizer::Job& job, int n_threads) {
    return scaling_bytes(job, options_, n_threads);
  };
}

cli::ToolResult QuantAwq::run(const std::vector<std::string>& operands,
                              const cli::CommonOptions& common, stage::StageObserver& observer) {
  return quantizer::run_quantizer(
      {operands[0], options_.calibration_dir, common.output, std::string(cli::version()),
       std::string(cli::commit()), common.argv, common.stage},
      request_, observer, [this, &common](const quantizer::Job& job) {
        return std::make_unique<Scaling>(job, options_, common.stage.n_threads);
      });
}

}  // namespace lq::quant_awq
